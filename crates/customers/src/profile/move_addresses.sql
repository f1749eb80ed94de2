update customers.address
set
    customer_id = $3,
    default_shipping = default_shipping and not $4,
    default_billing = default_billing and not $5
where tenant_id = $1 and customer_id = $2
