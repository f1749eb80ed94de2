-- Deletes messages of before $1 that have been read and are on their way to nobody; looks at the oldest $2 only.
with oldest as materialized (
    select o.seq, o.created_at
    from messages.outbox as o
    order by o.seq
    limit $2
),
gone as (
    delete from messages.outbox as o
    using oldest as f
    where
        o.seq = f.seq
        and f.created_at < $1
        and f.seq <= (select r.seq from messages.relay as r)
        and f.seq < coalesce((select min(d.seq) from messages.delivery as d), 9223372036854775807)
    returning o.seq
)
select count(*) as gone from gone
