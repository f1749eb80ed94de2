select id from customers.customer where tenant_id = $1 and id = any($2)
