select id, reservation_id, payment_id, order_id
from checkout.checkout
where tenant_id = $1 and id > $2 and state = 'failed'
order by id
limit $3
