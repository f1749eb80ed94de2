-- The subject, what open reservations hold, what the shelf says. $1 tenant
select 'shop ' || coalesce(shop.code, shop_id::text) || ', sku ' || sku as subject,
       coalesce(held.quantity, 0)::bigint as expected,
       coalesce(stock.reserved, 0)::bigint as found
from (
    select line.sku, line.shop_id, sum(line.quantity) as quantity
    from inventory.reservation
    join inventory.reservation_line as line on line.tenant_id = $1 and line.reservation_id = reservation.id
    where reservation.tenant_id = $1 and reservation.state = 'open'
    group by line.sku, line.shop_id
) as held
full join (select sku, shop_id, reserved from inventory.stock where tenant_id = $1 and reserved <> 0)
    as stock using (sku, shop_id)
left join inventory.shop on shop.tenant_id = $1 and shop.id = shop_id
where coalesce(held.quantity, 0) <> coalesce(stock.reserved, 0)
order by subject
limit 1000
