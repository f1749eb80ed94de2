-- $1 tenant, $2 id, $3 url, $4 types, $5 description, $6 active, $7 expected version or null, $8 now
-- Switching on forgets how the receiver did before.
update webhooks.subscription
set
    url = $3, types = $4, description = $5, active = $6, version = version + 1, updated_at = $8,
    failing_since = case when $6 and not active then null else failing_since end,
    failures = case when $6 then 0 else failures end,
    held_until = case when $6 then null else held_until end,
    disabled_at = case when not $6 then disabled_at end,
    disabled_reason = case when not $6 then disabled_reason end
where tenant_id = $1 and id = $2 and deleted_at is null and ($7::integer is null or version = $7)
returning
    id, url, types, description, active, failing_since, disabled_at, disabled_reason, old_secret_until, version, created_at,
    updated_at
