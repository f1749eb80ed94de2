-- $1 tenant, $2 first and $3 last day, $4 after this moment, $5 limit
select h.hour, h.calls, h.received_bytes, h.sent_bytes, h.worked_us / 1000, h.messages, h.stored_rows, h.stored_bytes,
    h.database_us / 1000, h.moved_rows
from control.usage_hour as h
where h.tenant_id = $1
    and h.hour >= $2::text::timestamp at time zone 'utc'
    and h.hour < ($3::text::date + 1)::timestamp at time zone 'utc'
    and ($4::timestamptz is null or h.hour > $4)
order by h.hour
limit $5
