update orders.customer_order
set owner = $3, version = version + 1
where tenant_id = $1 and owner = $2
returning id
