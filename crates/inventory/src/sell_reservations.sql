-- Confirms open reservations whose units a sale takes: gives the hold back and notes the sale. Locks: reservations by id,
-- then stock by (SKU, shop), as everywhere.
-- $1 tenant, $2 reservation ids, $3 sale ids, $4 now
with due as materialized (
    select reservation.id
    from inventory.reservation
    where tenant_id = $1 and id = any ($2::uuid[]) and closed_at is null
    order by id
    for no key update
),
closed as (
    update inventory.reservation
    set state = 'confirmed', closed_at = $4, sale_id = given.sale_id
    from due
    join unnest($2::uuid[], $3::uuid[]) as given (id, sale_id) using (id)
    where reservation.tenant_id = $1 and reservation.id = due.id
),
line as materialized (
    select line.reservation_id, line.sku, line.shop_id, line.quantity
    from due
    join inventory.reservation_line as line on line.tenant_id = $1 and line.reservation_id = due.id
),
change as materialized (
    select sku, shop_id, sum(quantity)::bigint as quantity
    from line
    group by sku, shop_id
    order by sku, shop_id
),
locked as materialized (
    select stock.sku, stock.shop_id, change.quantity
    from change
    join inventory.stock on stock.tenant_id = $1 and stock.sku = change.sku and stock.shop_id = change.shop_id
    order by stock.sku, stock.shop_id
    for no key update of stock
),
given_back as (
    update inventory.stock
    set reserved = stock.reserved - locked.quantity
    from locked
    where stock.tenant_id = $1 and stock.sku = locked.sku and stock.shop_id = locked.shop_id
)
select reservation_id, shop_id, sku, quantity
from line
order by reservation_id, sku, shop_id
