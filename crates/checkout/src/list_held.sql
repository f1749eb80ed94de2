select id, reservation_id
from checkout.checkout
where tenant_id = $1 and state = 'running'
order by id
limit $2
