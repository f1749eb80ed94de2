-- Gives a message up for one consumer: a dead letter instead of the delivery.
with gone as (
    delete from messages.delivery as d
    where d.tenant_id = $1 and d.consumer = $2 and d.subject = $3 and d.seq = $4
    returning d.tenant_id, d.consumer, d.seq
)
insert into messages.dead_letter (
    tenant_id, id, consumer, message_id, seq, created_at, kind, subject, correlation_id, traceparent, data, attempts,
    error, failed_at
)
select
    o.tenant_id, $5, g.consumer, o.id, o.seq, o.created_at, o.kind, o.subject, o.correlation_id, o.traceparent, o.data,
    $6, $7, $8
from gone as g join messages.outbox as o on o.seq = g.seq
returning seq
