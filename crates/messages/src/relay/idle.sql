-- Whether nothing is left to read and nothing is due at $1 for the consumers $2.
select
    not exists (select from messages.outbox as o, messages.relay as r where o.seq > r.seq)
    and not exists (
        select
        from (
            select distinct on (d.tenant_id, d.consumer, d.subject) d.next_attempt_at
            from messages.delivery as d
            where d.consumer = any($2)
            order by d.tenant_id, d.consumer, d.subject, d.seq
        ) as first
        where first.next_attempt_at <= $1
    ) as idle
