-- $2 now, $3 leased until, $4 at most
update checkout.checkout
set lease_until = $3, attempts = attempts + 1
from (
    select id
    from checkout.checkout
    where tenant_id = $1 and state = 'running' and lease_until <= $2
    order by lease_until
    limit $4
    for no key update skip locked
) as overdue
where checkout.tenant_id = $1 and checkout.id = overdue.id
returning checkout.id, owner, cart_owner, state, phase, shop_id, reservation_id, payment_id, order_id, sale_id, provider, method, total,
          plan, ship_to, note, failure, action, steps, attempts, deadline_at, created_at, updated_at
