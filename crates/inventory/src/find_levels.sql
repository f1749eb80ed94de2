-- $1 tenant, $2 shops, $3 skus
select stock.shop_id, stock.sku, stock.on_hand, stock.reserved, stock.tracked, stock.threshold
from (select distinct shop_id, sku from unnest($2::uuid[], $3::text[]) as given (shop_id, sku)) as wanted
join inventory.stock
  on stock.tenant_id = $1 and stock.sku = wanted.sku and stock.shop_id = wanted.shop_id
