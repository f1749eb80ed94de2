-- $1 tenant, $2 after, $3 limit
select
    seq, at, actor, operation, method, subject, status, address, agent, correlation_id, duration_us, request, response,
    hash
from audit.entry
where tenant_id = $1 and seq > $2
order by seq
limit $3
