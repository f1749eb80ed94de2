-- $1 tenant, $2 code to start after or null, $3 limit
select id, code, name, kind, address, active, version, created_at, updated_at
from inventory.shop
where tenant_id = $1 and code > coalesce($2::text, '')
order by code
limit $3
