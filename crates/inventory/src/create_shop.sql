-- $1 tenant, $2 id, $3 code or null for the next of S01, S02.., $4 name, $5 kind, $6 address, $7 now
with numbered as (
    select coalesce(max(substr(shop.code, 2)::integer), 0) + 1 as next
    from inventory.shop
    where shop.tenant_id = $1 and shop.code ~ '^S[0-9]{1,6}$'
)
insert into inventory.shop (tenant_id, id, code, name, kind, address, created_at, updated_at)
select $1, $2, coalesce($3::text, 'S' || lpad(next::text, greatest(2, length(next::text)), '0')), $4, $5, $6, $7, $7
from numbered
on conflict on constraint shop_code_unique do nothing
returning id, code, name, kind, address, active, version, created_at, updated_at
