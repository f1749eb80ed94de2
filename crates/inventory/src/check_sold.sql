-- The subject, what a sold reservation held, what the movements of its sale took. $1 tenant
select 'reservation ' || held.id || ', sku ' || held.sku as subject,
       held.quantity::bigint as expected,
       coalesce(taken.quantity, 0)::bigint as found
from (
    select reservation.id, reservation.sale_id, line.sku, line.shop_id, line.quantity
    from inventory.reservation
    join inventory.reservation_line as line on line.tenant_id = $1 and line.reservation_id = reservation.id
    where reservation.tenant_id = $1 and reservation.state = 'confirmed' and reservation.sale_id is not null
) as held
left join (
    select reference, sku, shop_id, -sum(quantity) as quantity
    from inventory.movement
    where tenant_id = $1 and reason = 'sale'
    group by reference, sku, shop_id
) as taken on taken.reference = held.sale_id and taken.sku = held.sku and taken.shop_id = held.shop_id
where held.quantity <> coalesce(taken.quantity, 0)
order by subject
limit 1000
