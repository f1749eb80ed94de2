-- Lanes that have something to deliver, with the time of their first message's next attempt.
select distinct on (d.tenant_id, d.consumer, d.subject) d.tenant_id, d.consumer, d.subject, d.next_attempt_at
from messages.delivery as d
where d.consumer = any($1)
order by d.tenant_id, d.consumer, d.subject, d.seq
limit $2
