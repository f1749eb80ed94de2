-- $1 tenant, $2 ids
select id, code, name, kind, address, active, version, created_at, updated_at
from inventory.shop
where tenant_id = $1 and id = any ($2::uuid[])
