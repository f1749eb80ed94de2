-- Ends open reservations, each exactly once whoever races: the reservation's row is locked and its state looked at
-- again. Confirming takes the units from the shelf by movements; releasing and expiring only gives them back. What a sale
-- has paid for is confirmed as long as it is open, and its movements are the sale's.
-- $1 tenant, $2 reservation ids, $3 new state, $4 now, $5 the sales that take the units, or null
with due as materialized (
    -- Open, said so that the index of all open ones, which may be many, is not taken for it.
    select id
    from inventory.reservation
    where tenant_id = $1 and id = any ($2::uuid[]) and closed_at is null
      and case $3::text when 'confirmed' then expires_at > $4 or $5::uuid[] is not null
                        when 'expired' then expires_at <= $4
                        else true end
    order by id
    for no key update
),
closed as (
    update inventory.reservation
    set state = $3, closed_at = $4, sale_id = given.sale_id
    from due
    join unnest($2::uuid[], $5::uuid[]) as given (id, sale_id) using (id)
    where reservation.tenant_id = $1 and reservation.id = due.id
),
line as materialized (
    select line.reservation_id, given.sale_id, line.sku, line.shop_id, line.quantity
    from due
    join unnest($2::uuid[], $5::uuid[]) as given (id, sale_id) using (id)
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
    set reserved = stock.reserved - locked.quantity,
        on_hand = stock.on_hand - case when $3 = 'confirmed' then locked.quantity else 0 end
    from locked
    where stock.tenant_id = $1 and stock.sku = locked.sku and stock.shop_id = locked.shop_id
),
written as (
    -- The ids are made here (UUIDv7 of $4), as the lines are only known here.
    insert into inventory.movement
        (tenant_id, id, sku, shop_id, quantity, reason, reference, occurred_at, created_at)
    select $1,
           encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
               placing substring(int8send(floor(extract(epoch from $4) * 1000)::bigint) from 3) from 1 for 6),
               52, 1), 53, 1), 'hex')::uuid,
           line.sku, line.shop_id, -line.quantity,
           case when line.sale_id is null then 'confirmed' else 'sale' end,
           coalesce(line.sale_id, line.reservation_id), $4, $4
    from line
    where $3 = 'confirmed'
)
select reservation_id, shop_id, sku, quantity
from line
order by reservation_id, sku, shop_id
