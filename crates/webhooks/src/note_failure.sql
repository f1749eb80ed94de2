-- $1 tenant, $2 webhook, $3 now, $4 not to be called before, or null, $5 failures in a row after which it is left alone
-- until $6
update webhooks.subscription
set
    failing_since = coalesce(failing_since, $3), failures = least(failures + 1, 1000000),
    held_until = greatest(held_until, $4, case when failures + 1 >= $5 then $6::timestamptz end)
where tenant_id = $1 and id = $2 and active and deleted_at is null
returning failing_since, failures
