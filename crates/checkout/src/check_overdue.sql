-- $1 tenant, $2 now. Ten minutes over its time somebody should long have given it up.
select id, 'it was to end by ' || deadline_at
from checkout.checkout
where tenant_id = $1 and state = 'running' and deadline_at < $2::timestamptz - interval '10 minutes'
order by id
limit 100
