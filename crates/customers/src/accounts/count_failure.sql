-- $3 now, $4 the start of the window, $5 failures at most, $6 the end of a lock
insert into customers.attempt as a (tenant_id, subject, failures, since, locked_until)
values ($1, $2, 1, $3, case when $5 <= 1 then $6::timestamptz end)
on conflict (tenant_id, subject) do update
set
    failures = case when a.since < $4 then 1 else a.failures + 1 end,
    since = case when a.since < $4 then $3 else a.since end,
    locked_until = case when (case when a.since < $4 then 1 else a.failures + 1 end) >= $5 then $6::timestamptz end
