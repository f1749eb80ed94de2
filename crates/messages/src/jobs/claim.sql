-- Takes the job of $1 that has been due longest at $2 and is held by nobody; $3 the run, until $4, in process $5. What lies
-- beyond what a right clock writes ($6 by name for the next run, $7 for leases) was written by a wrong one and counts for
-- nothing.
update messages.job as j
set run_id = $3, leased_until = $4, host = $5, started_at = $2
from (
    select d.name
    from messages.job as d
    join unnest($1::text[], $6::timestamptz[]) as mine (name, latest) on mine.name = d.name
    where
        (d.next_run_at <= $2 or d.next_run_at > mine.latest or d.requested_at is not null)
        and (d.leased_until is null or d.leased_until <= $2 or d.leased_until > $7)
    order by least(d.next_run_at, d.requested_at), d.name
    limit 1
    for update of d skip locked
) as due
where j.name = due.name
returning j.name, j.next_run_at
