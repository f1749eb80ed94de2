-- The subject, what a confirmed reservation held, what its movements took. $1 tenant
select 'reservation ' || reference || ', sku ' || sku as subject,
       coalesce(held.quantity, 0)::bigint as expected,
       coalesce(taken.quantity, 0)::bigint as found
from (
    select reservation.id as reference, line.sku, line.shop_id, line.quantity
    from inventory.reservation
    join inventory.reservation_line as line on line.tenant_id = $1 and line.reservation_id = reservation.id
    where reservation.tenant_id = $1 and reservation.state = 'confirmed' and reservation.sale_id is null
) as held
full join (
    select reference, sku, shop_id, -sum(quantity) as quantity
    from inventory.movement
    where tenant_id = $1 and reason = 'confirmed'
    group by reference, sku, shop_id
) as taken using (reference, sku, shop_id)
where coalesce(held.quantity, 0) <> coalesce(taken.quantity, 0)
order by subject
limit 1000
