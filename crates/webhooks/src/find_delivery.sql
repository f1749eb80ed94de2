-- $1 tenant, $2 id; of webhooks that are not deleted
select
    d.id, d.subscription_id, d.message_id, d.kind, d.subject, d.state, d.attempts, d.next_attempt_at, d.attempted_at,
    d.duration_ms, d.response_status, d.response_body, d.error, d.created_at, d.finished_at
from webhooks.delivery as d
join webhooks.subscription as s on s.tenant_id = d.tenant_id and s.id = d.subscription_id
where d.tenant_id = $1 and d.id = $2 and s.deleted_at is null
