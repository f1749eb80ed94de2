update customers.note
set customer_id = $3
where tenant_id = $1 and customer_id = $2
