-- Reads on from $1 up to $2 ($3 rows at most, of these $4 wanted ones), writes a delivery for each consumer that waits
-- for the type ($5 and $6 in pairs) and moves the cursor, all in one. The rows are what to deliver; the last one,
-- without an id, tells how far it got. Does nothing when the cursor is not at $1. No joins with the outbox: one pass.
with place as materialized (
    select r.seq
    from messages.relay as r
    where r.seq = $1
    for update
),
read as materialized (
    select
        o.seq, o.tenant_id, o.id, o.created_at, o.kind, o.subject, o.correlation_id, o.traceparent,
        case when o.kind = any($6::text[]) then o.data end as data
    from messages.outbox as o
    where o.seq > $1 and o.seq <= $2 and exists (select from place)
    order by o.seq
    limit $3
),
wanted as materialized (
    select
        r.seq, r.tenant_id, r.id, r.created_at, r.kind, r.subject, r.correlation_id, r.traceparent, r.data
    from read as r
    where r.kind = any($6::text[])
    order by r.seq
    limit $4
),
reached as materialized (
    select
        case
            when (select count(*) from wanted) = $4 then (select max(w.seq) from wanted as w)
            else (select max(r.seq) from read as r)
        end as seq
),
fanned as (
    insert into messages.delivery (tenant_id, consumer, subject, seq, message_id, next_attempt_at)
    select w.tenant_id, i.consumer, w.subject, w.seq, w.id, $7
    from wanted as w join unnest($5::text[], $6::text[]) as i (consumer, kind) on i.kind = w.kind
    on conflict do nothing
),
moved as (
    update messages.relay as r
    set seq = reached.seq
    from reached
    where r.seq = $1 and reached.seq is not null
)
select
    w.seq, w.tenant_id, w.id, w.created_at, w.kind, w.subject, w.correlation_id, w.traceparent, w.data,
    -- What `xmin` of the deliveries written here is.
    pg_current_xact_id()::xid::text::bigint as version
from wanted as w
union all
select reached.seq, null, null, null, null, null, null, null, null, null
from reached
where reached.seq is not null
order by seq, id nulls last
