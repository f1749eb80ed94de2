select id from orders.customer_order where tenant_id = $1 and id = any ($2::uuid[])
