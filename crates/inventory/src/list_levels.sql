-- $1 tenant, $2 sku, $3 shop to start after or null, $4 limit
select stock.shop_id, stock.sku, stock.on_hand, stock.reserved, stock.tracked, stock.threshold, shop.code, shop.name
from inventory.stock
join inventory.shop on shop.tenant_id = $1 and shop.id = stock.shop_id
where stock.tenant_id = $1 and stock.sku = $2
  and stock.shop_id > coalesce($3::uuid, '00000000-0000-0000-0000-000000000000')
order by stock.shop_id
limit $4
