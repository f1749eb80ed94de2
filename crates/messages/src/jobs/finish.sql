-- Only the run that still holds the job may end it. A request made while it ran stays and runs it again.
update messages.job
set
    run_id = null,
    leased_until = null,
    requested_at = case when requested_at > started_at then requested_at end,
    last_run_at = started_at,
    last_duration_ms = $2,
    last_error = $3,
    next_run_at = $4,
    runs = runs + 1,
    failures = failures + case when $3::text is null then 0 else 1 end
where run_id = $1
returning name
