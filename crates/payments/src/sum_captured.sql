select count(*), coalesce(sum(captured), 0)::bigint
from payments.payment
where tenant_id = $1 and state = 'succeeded' and starts_with(purpose, $2::text)
