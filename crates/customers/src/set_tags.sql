update customers.customer as c
set tags = $3, version = c.version + 1, updated_at = greatest($4::timestamptz, c.updated_at)
where c.tenant_id = $1 and c.id = $2 and c.tags is distinct from $3::text[]
