-- One statement: adds up the movements per SKU and shop, applies each sum to its stock row if the guard lets it,
-- and writes the movements of the pairs that were applied. Ordered so that two callers never deadlock.
-- $1 tenant, $2 movements, $3 now, $4 guarded
with movement as materialized (
    select id, shop_id, sku, quantity, reason, reference, note, occurred_at, counts
    from unnest($2::inventory.new_movement[])
),
change as materialized (
    select sku, shop_id, sum(quantity)::bigint as quantity, bool_or(counts) as counts
    from movement
    group by sku, shop_id
    order by sku, shop_id
),
applied as (
    insert into inventory.stock as stock (tenant_id, sku, shop_id, on_hand, reserved, tracked)
    select $1, change.sku, change.shop_id, change.quantity, 0, change.counts
    from change
    on conflict (tenant_id, sku, shop_id) do update
    set on_hand = stock.on_hand + excluded.on_hand,
        tracked = stock.tracked or excluded.tracked
    where not $4
       or excluded.on_hand >= 0
       or not stock.tracked
       or stock.on_hand - stock.reserved + excluded.on_hand >= 0
    returning stock.sku, stock.shop_id, stock.on_hand, stock.reserved, stock.tracked, stock.threshold
),
written as (
    insert into inventory.movement
        (tenant_id, id, sku, shop_id, quantity, reason, reference, note, occurred_at, created_at)
    select $1, movement.id, movement.sku, movement.shop_id, movement.quantity, movement.reason,
           movement.reference, movement.note, movement.occurred_at, $3
    from movement
    join applied using (sku, shop_id)
    where movement.quantity <> 0
)
select applied.shop_id, applied.sku, applied.on_hand, applied.reserved, applied.tracked, applied.threshold,
       coalesce(applied.on_hand - applied.reserved <= applied.threshold
                and applied.on_hand - applied.reserved - change.quantity > applied.threshold, false) as crossed
from applied
join change using (sku, shop_id)
