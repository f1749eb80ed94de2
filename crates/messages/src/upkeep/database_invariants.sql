-- What must hold for the relay of a database at $1. Lateness counts only while a process has been leading for a minute.
with place as (
    select
        r.seq,
        r.leader_since < $1::timestamptz - interval '1 minute'
        and exists (
            select
            from pg_locks as l
            where
                l.locktype = 'advisory' and l.granted and l.objsubid = 1
                and l.classid = 114 and l.objid = 1701601657
                and l.database = (select b.oid from pg_database as b where b.datname = current_database())
        ) as led
    from messages.relay as r
)
(
    select 'relay_cursor_is_sane' as invariant, 'cursor ' || p.seq as subject, 'behind it numbers are given out from ' || s.last_value as detail
    from place as p, messages.outbox_seq as s
    where p.seq > s.last_value
)
union all
(
    select 'message_read_within_a_minute', o.id::text, o.kind || ' of ' || o.created_at
    from place as p join messages.outbox as o on o.seq > p.seq
    where p.led and o.created_at < $1::timestamptz - interval '1 minute'
    order by o.seq
    limit 100
)
union all
(
    select 'message_delivered_within_a_minute', f.message_id::text, f.consumer || ' could have had it since ' || f.next_attempt_at
    from
        place as p,
        lateral (
            select distinct on (d.tenant_id, d.consumer, d.subject) d.message_id, d.consumer, d.next_attempt_at
            from messages.delivery as d
            order by d.tenant_id, d.consumer, d.subject, d.seq
        ) as f
    where p.led and f.next_attempt_at < $1::timestamptz - interval '1 minute'
    limit 100
)
