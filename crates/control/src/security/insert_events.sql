insert into control.security_event (
    id, occurred_at, kind, tenant_id, actor, address, agent, reason, subject, operation, correlation_id, times
)
select e.id, e.occurred_at, e.kind, e.tenant_id, e.actor, e.address, e.agent, e.reason, e.subject, e.operation,
    e.correlation_id, e.times
from unnest(
    $1::uuid[], $2::timestamptz[], $3::text[], $4::uuid[], $5::text[], $6::inet[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::text[], $12::integer[]
) as e (
    id, occurred_at, kind, tenant_id, actor, address, agent, reason, subject, operation, correlation_id, times
)
