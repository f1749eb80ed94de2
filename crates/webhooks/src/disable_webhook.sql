-- $1 tenant, $2 id, $3 reason, $4 now, $5 only when failing since then or earlier, or null
update webhooks.subscription
set active = false, disabled_at = $4, disabled_reason = $3, version = version + 1, updated_at = $4
where
    tenant_id = $1 and id = $2 and active and deleted_at is null
    and ($5::timestamptz is null or failing_since <= $5)
returning
    id, url, types, description, active, failing_since, disabled_at, disabled_reason, old_secret_until, version, created_at,
    updated_at
