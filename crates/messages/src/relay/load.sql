-- The first $4 messages of each given lane.
select
    l.place, m.attempts, m.version, m.next_attempt_at, m.seq, m.tenant_id, m.id, m.created_at, m.kind, m.subject,
    m.correlation_id, m.traceparent, m.data
from
    unnest($1::uuid[], $2::text[], $3::text[]) with ordinality as l (tenant_id, consumer, subject, place)
    cross join lateral (
        select
            d.attempts, d.xmin::text::bigint as version, d.next_attempt_at, o.seq, o.tenant_id, o.id, o.created_at, o.kind, o.subject,
            o.correlation_id, o.traceparent, o.data
        from messages.delivery as d join messages.outbox as o on o.seq = d.seq
        where d.tenant_id = l.tenant_id and d.consumer = l.consumer and d.subject = l.subject
        order by d.seq
        limit $4
    ) as m
order by l.place, m.seq
