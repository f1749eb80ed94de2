select id, gross from sales.sale where tenant_id = $1 and id = any ($2::uuid[])
