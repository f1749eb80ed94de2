-- One row per line. $1 tenant, $2 ids
select reservation.id, reservation.state, reservation.reference, reservation.expires_at, reservation.created_at,
       reservation.closed_at, line.shop_id, line.sku, line.quantity
from inventory.reservation
join inventory.reservation_line as line on line.tenant_id = $1 and line.reservation_id = reservation.id
where reservation.tenant_id = $1 and reservation.id = any ($2::uuid[])
order by reservation.id, line.sku, line.shop_id
