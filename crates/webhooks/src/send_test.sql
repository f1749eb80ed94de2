-- $1 tenant, $2 subject, $3 delivery, $4 message, $5 kind, $6 body, $7 now, $8 webhook, which must be on
with kept as (
    insert into webhooks.message (tenant_id, id, kind, subject, body, created_at)
    select s.tenant_id, $4, $5, $2::text, $6, $7
    from webhooks.subscription as s
    where s.tenant_id = $1 and s.id = $8 and s.active and s.deleted_at is null
    returning tenant_id, id, subject
)
insert into webhooks.delivery (
    tenant_id, id, subscription_id, message_id, kind, subject, state, next_attempt_at, created_at
)
select k.tenant_id, $3, $8, k.id, $5, k.subject, 'pending', $7, $7
from kept as k
returning
    id, subscription_id, message_id, kind, subject, state, attempts, next_attempt_at, attempted_at,
    duration_ms, response_status, response_body, error, created_at, finished_at
