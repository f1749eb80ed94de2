-- Makes the rows that are missing and locks all of them in the order of (SKU, shop). $1 tenant, $2 shops, $3 skus
insert into inventory.stock as stock (tenant_id, sku, shop_id, on_hand, reserved, tracked)
select $1, wanted.sku, wanted.shop_id, 0, 0, false
from (
    select distinct sku, shop_id
    from unnest($2::uuid[], $3::text[]) as given (shop_id, sku)
    order by sku, shop_id
) as wanted
on conflict (tenant_id, sku, shop_id) do update set reserved = stock.reserved
returning shop_id, sku, on_hand
