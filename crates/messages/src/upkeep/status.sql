-- Counts stop at 10,000: beyond that only "many" matters.
select
    r.seq as cursor,
    r.leader,
    (
        select count(*) from (select from messages.outbox as o where o.seq > r.seq limit 10000) as unread
    ) as unread,
    (
        select o.created_at from messages.outbox as o where o.seq > r.seq order by o.seq limit 1
    ) as oldest_unread,
    (select count(*) from (select from messages.delivery limit 10000) as pending) as pending,
    (
        select o.created_at
        from messages.outbox as o
        where o.seq = (select min(d.seq) from messages.delivery as d)
        limit 1
    ) as oldest_pending,
    (select count(*) from (select from messages.delivery as d where d.attempts > 0 limit 10000) as failing) as retrying,
    (select count(*) from (select from messages.dead_letter limit 10000) as dead) as dead_letters
from messages.relay as r
