select id, reference from customers.customer where tenant_id = $1 and reference = any($2)
