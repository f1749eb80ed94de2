-- The rows are there and locked. $1 tenant, $2 shops, $3 skus, $4 thresholds or null
with wanted as materialized (
    select distinct on (sku, shop_id) sku, shop_id, threshold
    from unnest($2::uuid[], $3::text[], $4::bigint[]) with ordinality as given (shop_id, sku, threshold, place)
    order by sku, shop_id, place desc
),
before as materialized (
    select stock.sku, stock.shop_id, stock.threshold as old, wanted.threshold
    from wanted
    join inventory.stock on stock.tenant_id = $1 and stock.sku = wanted.sku and stock.shop_id = wanted.shop_id
)
update inventory.stock
set threshold = before.threshold
from before
where stock.tenant_id = $1 and stock.sku = before.sku and stock.shop_id = before.shop_id
returning stock.shop_id, stock.sku, stock.on_hand, stock.reserved, stock.tracked, stock.threshold,
          coalesce(stock.on_hand - stock.reserved <= stock.threshold
                   and (before.old is null or stock.on_hand - stock.reserved > before.old), false) as crossed
