select
    j.name, j.schedule, j.next_run_at, j.requested_at, j.run_id is not null and j.leased_until > $1 as running, j.host,
    j.started_at, j.last_run_at, j.last_duration_ms, j.last_error, j.runs, j.failures
from messages.job as j
order by j.name
limit 500
