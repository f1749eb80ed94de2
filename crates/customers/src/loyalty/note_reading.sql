update customers.loyalty_rule
set read_to = $2
where tenant_id = $1
