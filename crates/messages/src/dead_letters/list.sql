-- Newest first, behind $3; $1 a tenant or null for all, $2 a consumer or null for all.
select
    l.tenant_id, l.id, l.consumer, l.message_id, l.seq, l.created_at, l.kind, l.subject, l.correlation_id,
    l.traceparent, l.data, l.attempts, l.error, l.failed_at
from messages.dead_letter as l
where
    ($1::uuid is null or l.tenant_id = $1)
    and ($2::text is null or l.consumer = $2)
    and ($3::uuid is null or l.id < $3)
order by l.id desc
limit $4
