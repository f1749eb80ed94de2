-- The few that nobody knows the end of; the oldest first. $1 tenant, $2 opened before, $3 limit
select id, amount, currency, state, purpose, created_at
from payments.payment
where tenant_id = $1 and state in ('pending', 'requires_action', 'unknown') and created_at < $2
order by created_at, id
limit $3
