select id, owner
from checkout.checkout
where tenant_id = $1 and id = any ($2::uuid[]) and state = 'running'
order by id
for no key update
