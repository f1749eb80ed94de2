-- $1 tenant, $2 id, $3 now: only one that has ended, of a webhook that is on
update webhooks.delivery as d
set state = 'pending', tries = 0, next_attempt_at = $3, claim = null, finished_at = null
from webhooks.subscription as s
where
    d.tenant_id = $1 and d.id = $2 and d.state <> 'pending'
    and s.tenant_id = d.tenant_id and s.id = d.subscription_id and s.active and s.deleted_at is null
returning
    d.id, d.subscription_id, d.message_id, d.kind, d.subject, d.state, d.attempts, d.next_attempt_at, d.attempted_at,
    d.duration_ms, d.response_status, d.response_body, d.error, d.created_at, d.finished_at
