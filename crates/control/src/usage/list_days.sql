-- $1 tenant, $2 first and $3 last day, $4 after this moment, $5 limit
select d.day::timestamp at time zone 'utc', d.calls, d.received_bytes, d.sent_bytes, d.worked_us / 1000, d.messages,
    d.stored_rows, d.stored_bytes, d.database_us / 1000, d.moved_rows
from control.usage_day as d
where d.tenant_id = $1 and d.day between $2::text::date and $3::text::date
    and ($4::timestamptz is null or d.day > ($4 at time zone 'utc')::date)
order by d.day
limit $5
