-- $1 tenant, $2 now, $3 leased until, $4 deadline, $5 checkouts
insert into checkout.checkout
    (tenant_id, id, owner, cart_owner, state, phase, shop_id, reservation_id, payment_id, order_id, sale_id, provider, method, total,
     plan, ship_to, note, steps, attempts, lease_until, deadline_at, created_at, updated_at)
select $1, id, owner, owner, 'running', case when payment_id is null then 'order' else 'charge' end, shop_id, reservation_id,
       payment_id, order_id, sale_id, provider, method, total, plan, ship_to, note, steps, 1, $3, $4, $2, $2
from unnest($5::checkout.new_checkout[])
