-- Back into the lane, at its old place in front of everything later, with all tries before it; wakes the leader. The
-- outbox row may have been purged meanwhile and is then put back.
with letter as (
    delete from messages.dead_letter as l
    where l.id = $1
    returning
        l.tenant_id, l.consumer, l.message_id, l.seq, l.created_at, l.kind, l.subject, l.correlation_id,
        l.traceparent, l.data
),
restored as (
    insert into messages.outbox (
        tenant_id, seq, id, created_at, kind, subject, correlation_id, traceparent, data
    )
    select
        l.tenant_id, l.seq, l.message_id, l.created_at, l.kind, l.subject, l.correlation_id, l.traceparent, l.data
    from letter as l
    where not exists (select from messages.outbox as o where o.seq = l.seq)
),
queued as (
    insert into messages.delivery (tenant_id, consumer, subject, seq, message_id, next_attempt_at)
    select l.tenant_id, l.consumer, l.subject, l.seq, l.message_id, $2
    from letter as l
    on conflict do nothing
)
select l.message_id, pg_notify('markethall_messages', '')::text as told
from letter as l
