-- Days from $1 on, made anew from their hours: the same however often it is done. What is held counts by its average.
insert into control.usage_day as d
    (tenant_id, day, calls, received_bytes, sent_bytes, worked_us, messages, stored_rows, stored_bytes, tier,
    database_us, moved_rows)
select h.tenant_id, (h.hour at time zone 'utc')::date, sum(h.calls)::bigint, sum(h.received_bytes)::bigint,
    sum(h.sent_bytes)::bigint, sum(h.worked_us)::bigint, sum(h.messages)::bigint, round(avg(h.stored_rows))::bigint,
    round(avg(h.stored_bytes))::bigint, t.tier, sum(h.database_us)::bigint, sum(h.moved_rows)::bigint
from control.usage_hour as h
join control.tenant as t on t.id = h.tenant_id
where h.hour >= $1
group by h.tenant_id, (h.hour at time zone 'utc')::date, t.tier
on conflict (tenant_id, day) do update
set calls = excluded.calls,
    received_bytes = excluded.received_bytes,
    sent_bytes = excluded.sent_bytes,
    worked_us = excluded.worked_us,
    messages = excluded.messages,
    stored_rows = excluded.stored_rows,
    stored_bytes = excluded.stored_bytes,
    database_us = excluded.database_us,
    moved_rows = excluded.moved_rows
where (d.calls, d.received_bytes, d.sent_bytes, d.worked_us, d.messages, d.stored_rows, d.stored_bytes, d.database_us,
        d.moved_rows)
    is distinct from (excluded.calls, excluded.received_bytes, excluded.sent_bytes, excluded.worked_us, excluded.messages,
        excluded.stored_rows, excluded.stored_bytes, excluded.database_us, excluded.moved_rows)
