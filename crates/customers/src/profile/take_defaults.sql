update customers.address
set default_shipping = default_shipping and not $3, default_billing = default_billing and not $4
where
    tenant_id = $1 and customer_id = $2
    and ((default_shipping and $3) or (default_billing and $4))
