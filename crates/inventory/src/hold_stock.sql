-- Holds units for one or several reservations: all lines of all of them, or none. Check and write are one statement
-- on locked rows; rows are locked in the order of (SKU, shop), so that carts in any order never deadlock.
-- $1 tenant, $2 now, $3 reservation ids, $4 references, $5 expiry times;
-- lines: $6 reservation, $7 shop, $8 sku, $9 quantity
with line as materialized (
    select reservation_id, sku, shop_id, sum(quantity)::bigint as quantity
    from unnest($6::uuid[], $7::uuid[], $8::text[], $9::bigint[]) as given (reservation_id, shop_id, sku, quantity)
    group by reservation_id, sku, shop_id
),
wanted as materialized (
    select sku, shop_id, sum(quantity)::bigint as quantity
    from line
    group by sku, shop_id
    order by sku, shop_id
),
locked as materialized (
    select stock.sku, stock.shop_id, stock.on_hand, stock.reserved, stock.tracked, stock.threshold, wanted.quantity
    from wanted
    join inventory.stock on stock.tenant_id = $1 and stock.sku = wanted.sku and stock.shop_id = wanted.shop_id
    order by stock.sku, stock.shop_id
    for no key update of stock
),
verdict as materialized (
    select (select count(*) from wanted)
         = (select count(*) from locked where on_hand - reserved >= quantity) as granted
),
held as (
    update inventory.stock
    set reserved = stock.reserved + locked.quantity
    from locked
    where stock.tenant_id = $1 and stock.sku = locked.sku and stock.shop_id = locked.shop_id
      and (select granted from verdict)
),
reservation as (
    insert into inventory.reservation (tenant_id, id, state, reference, expires_at, created_at)
    select $1, id, 'open', reference, expires_at, $2
    from unnest($3::uuid[], $4::text[], $5::timestamptz[]) as given (id, reference, expires_at)
    where (select granted from verdict)
),
reserved as (
    insert into inventory.reservation_line (tenant_id, reservation_id, sku, shop_id, quantity)
    select $1, reservation_id, sku, shop_id, quantity
    from line
    where (select granted from verdict)
)
select wanted.shop_id,
       wanted.sku,
       coalesce(locked.on_hand, 0) as on_hand,
       coalesce(locked.reserved, 0) + case when verdict.granted then wanted.quantity else 0 end as reserved,
       coalesce(locked.tracked, false) as tracked,
       locked.threshold,
       verdict.granted and coalesce(locked.on_hand - locked.reserved > locked.threshold
           and locked.on_hand - locked.reserved - wanted.quantity <= locked.threshold, false) as crossed,
       verdict.granted,
       wanted.quantity
from wanted
cross join verdict
left join locked on locked.sku = wanted.sku and locked.shop_id = wanted.shop_id
order by wanted.sku, wanted.shop_id
