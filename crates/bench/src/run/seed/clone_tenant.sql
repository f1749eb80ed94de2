-- Gives tenants the products and the stock of another one. Their shops have the same codes.
-- :template its id, :tenants theirs as an array
create temporary table target as select unnest(:'tenants'::uuid[]) as id;
create temporary table place as
select there.tenant_id, here.id as old_id, there.id as new_id
from inventory.shop as here
join inventory.shop as there on there.code = here.code and there.tenant_id in (select id from target)
where here.tenant_id = :'template'::uuid;

select pg_temp.copy_rows(
    'catalog.product',
    '{"tenant_id": "target.id", "id": "pg_temp.uuid7(old.created_at, target.id::text || old.id::text)"}',
    format('cross join target where old.tenant_id = %L', :'template')
);
select pg_temp.copy_rows(
    'catalog.term',
    '{"tenant_id": "target.id"}',
    format('cross join target where old.tenant_id = %L', :'template')
);
select pg_temp.copy_rows(
    'inventory.stock',
    '{"tenant_id": "place.tenant_id", "shop_id": "place.new_id"}',
    format('join place on place.old_id = old.shop_id where old.tenant_id = %L', :'template')
);
select pg_temp.copy_rows(
    'inventory.movement',
    '{"tenant_id": "place.tenant_id", "shop_id": "place.new_id",
      "id": "pg_temp.uuid7(old.occurred_at, place.tenant_id::text || old.id::text)"}',
    format('join place on place.old_id = old.shop_id where old.tenant_id = %L', :'template')
);
