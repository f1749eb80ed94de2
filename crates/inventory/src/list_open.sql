select id, reference
from inventory.reservation
where tenant_id = $1 and state = 'open' and starts_with(reference, $2::text)
order by id
limit $3
