update checkout.checkout
set lease_until = $3, attempts = attempts + 1, updated_at = $4
where tenant_id = $1 and id = $2 and state = 'running'
returning id, owner, cart_owner, state, phase, shop_id, reservation_id, payment_id, order_id, sale_id, provider, method, total, plan, ship_to,
       note, failure, action, steps, attempts, deadline_at, created_at, updated_at
