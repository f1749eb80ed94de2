select
    l.tenant_id, l.id, l.consumer, l.message_id, l.seq, l.created_at, l.kind, l.subject, l.correlation_id,
    l.traceparent, l.data, l.attempts, l.error, l.failed_at
from messages.dead_letter as l
where l.id = $1
