insert into control.security_event (
    id, occurred_at, kind, tenant_id, actor, address, agent, reason, operation, correlation_id
)
select e.id, e.occurred_at, e.kind, e.tenant_id, e.actor, e.address, e.agent, e.reason, e.operation, e.correlation_id
from unnest(
    $1::uuid[], $2::timestamptz[], $3::text[], $4::uuid[], $5::text[], $6::inet[], $7::text[], $8::text[], $9::text[],
    $10::text[]
) as e (id, occurred_at, kind, tenant_id, actor, address, agent, reason, operation, correlation_id)
