update customers.login
set customer_id = $3, updated_at = $4
where tenant_id = $1 and customer_id = $2
