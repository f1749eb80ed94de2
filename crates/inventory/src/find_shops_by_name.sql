-- A code is looked for before a name; of shops with the same name the oldest is meant. $1 tenant, $2 names
select wanted.name, coalesce(coded.id, named.id) as id
from unnest($2::text[]) as wanted (name)
left join inventory.shop as coded on coded.tenant_id = $1 and coded.code = wanted.name
left join lateral (
    select shop.id from inventory.shop
    where shop.tenant_id = $1 and shop.name = wanted.name
    order by shop.id
    limit 1
) as named on coded.id is null
where coalesce(coded.id, named.id) is not null
