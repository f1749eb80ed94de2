-- Checkouts without an order that are no longer young. $2 after, $3 begun before, $4 limit
select id, owner, cart_owner, state, phase, shop_id, reservation_id, payment_id, order_id, sale_id, provider, method,
       total, plan, ship_to, note, failure, action, steps, attempts, deadline_at, created_at, updated_at
from checkout.checkout
where tenant_id = $1 and id > $2 and state <> 'completed' and created_at < $3
order by id
limit $4
