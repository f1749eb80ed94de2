-- $1 the batch, $2 now, then columns of equal length. Nothing is added when the batch is known already.
with fresh as (
    insert into control.usage_batch (id, saved_at)
    values ($1, $2)
    on conflict (id) do nothing
    returning id
)
insert into control.usage_hour as u
    (tenant_id, hour, calls, received_bytes, sent_bytes, worked_us, messages, database_us, moved_rows)
select n.tenant_id, n.hour, n.calls, n.received_bytes, n.sent_bytes, n.worked_us, n.messages, n.database_us, n.moved_rows
from fresh
cross join unnest($3::uuid[], $4::timestamptz[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[],
    $10::bigint[], $11::bigint[])
    as n (tenant_id, hour, calls, received_bytes, sent_bytes, worked_us, messages, database_us, moved_rows)
join control.tenant as t on t.id = n.tenant_id
order by n.tenant_id, n.hour
on conflict (tenant_id, hour) do update
set calls = u.calls + excluded.calls,
    received_bytes = u.received_bytes + excluded.received_bytes,
    sent_bytes = u.sent_bytes + excluded.sent_bytes,
    worked_us = u.worked_us + excluded.worked_us,
    messages = u.messages + excluded.messages,
    database_us = u.database_us + excluded.database_us,
    moved_rows = u.moved_rows + excluded.moved_rows
