select
    seq, at, actor, operation, method, subject, status, address, agent, correlation_id, duration_us, request, response
from audit.entry
where tenant_id = $1 and seq = $2
