-- Days from $1 on, made anew from their hours: the same however often it is done.
insert into control.usage_day as d (tenant_id, day, calls, received_bytes, sent_bytes, worked_us)
select h.tenant_id, (h.hour at time zone 'utc')::date, sum(h.calls)::bigint, sum(h.received_bytes)::bigint,
    sum(h.sent_bytes)::bigint, sum(h.worked_us)::bigint
from control.usage_hour as h
where h.hour >= $1
group by h.tenant_id, (h.hour at time zone 'utc')::date
on conflict (tenant_id, day) do update
set calls = excluded.calls,
    received_bytes = excluded.received_bytes,
    sent_bytes = excluded.sent_bytes,
    worked_us = excluded.worked_us
where (d.calls, d.received_bytes, d.sent_bytes, d.worked_us)
    is distinct from (excluded.calls, excluded.received_bytes, excluded.sent_bytes, excluded.worked_us)
