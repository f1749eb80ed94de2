-- $1 tenant, $2 id, $3 name, $4 kind, $5 address, $6 active, $7 expected version or null, $8 now
update inventory.shop
set name = $3, kind = $4, address = $5, active = $6, version = version + 1, updated_at = $8
where tenant_id = $1 and id = $2 and ($7::integer is null or version = $7)
returning id, code, name, kind, address, active, version, created_at, updated_at
