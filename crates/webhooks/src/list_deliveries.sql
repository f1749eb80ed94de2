-- $1 tenant, $2 webhook, $3 state or null, $4 id to end before or null, $5 limit
select
    d.id, d.subscription_id, d.message_id, d.kind, d.subject, d.state, d.attempts, d.next_attempt_at, d.attempted_at,
    d.duration_ms, d.response_status, d.response_body, d.error, d.created_at, d.finished_at
from webhooks.delivery as d
where
    d.tenant_id = $1 and d.subscription_id = $2
    and ($3::text is null or d.state = $3) and ($4::uuid is null or d.id < $4)
order by d.id desc
limit $5
