-- Reads on from $1 up to $2 ($3 rows at most, of these $4 wanted ones), writes a delivery for each consumer that waits
-- for the type ($5 and $6 in pairs) or that the message's tenant has asked to hear it (those of $8), and moves the
-- cursor, all in one. The rows are what to deliver; the last one, without an id, tells how far it got and how many messages of
-- which tenants it has passed. Does nothing when the cursor is not at $1. No joins with the outbox: one pass, with a look into a small index per message.
with place as materialized (
    select r.seq
    from messages.relay as r
    where r.seq = $1
    for update
),
found as (
    select
        o.seq, o.tenant_id, o.id, o.created_at, o.kind, o.subject, o.correlation_id, o.traceparent, o.data,
        array(
            select q.consumer
            from messages.request as q
            where q.tenant_id = o.tenant_id and q.kind in (o.kind, '*') and q.consumer = any($8::text[])
        ) as asked
    from messages.outbox as o
    where o.seq > $1 and o.seq <= $2 and exists (select from place)
    order by o.seq
    limit $3
),
read as materialized (
    select
        f.seq, f.tenant_id, f.id, f.created_at, f.kind, f.subject, f.correlation_id, f.traceparent, f.asked,
        case when f.kind = any($6::text[]) or f.asked <> '{}' then f.data end as data
    from found as f
),
wanted as materialized (
    select
        r.seq, r.tenant_id, r.id, r.created_at, r.kind, r.subject, r.correlation_id, r.traceparent, r.data, r.asked
    from read as r
    where r.kind = any($6::text[]) or r.asked <> '{}'
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
    from
        wanted as w,
        lateral (
            select p.consumer
            from unnest($5::text[], $6::text[]) as p (consumer, kind)
            where p.kind = w.kind
            union all
            select unnest(w.asked)
        ) as i
    on conflict do nothing
),
counted as materialized (
    select r.tenant_id, count(*) as messages
    from read as r
    where r.seq <= (select reached.seq from reached)
    group by r.tenant_id
),
moved as (
    update messages.relay as r
    set seq = reached.seq
    from reached
    where r.seq = $1 and reached.seq is not null
)
select
    w.seq, w.tenant_id, w.id, w.created_at, w.kind, w.subject, w.correlation_id, w.traceparent, w.data, w.asked,
    -- What `xmin` of the deliveries written here is.
    pg_current_xact_id()::xid::text::bigint as version,
    null::uuid[] as tenants, null::bigint[] as counts
from wanted as w
union all
select
    reached.seq, null, null, null, null, null, null, null, null, null, null,
    array(select c.tenant_id from counted as c order by c.tenant_id),
    array(select c.messages from counted as c order by c.tenant_id)
from reached
where reached.seq is not null
order by seq, id nulls last
