-- $1 tenant, $2 id, $3 sealed secret, $4 end of the old one, $5 now
update webhooks.subscription
set
    secret = $3, old_secret = secret, old_secret_until = $4, version = version + 1, updated_at = $5
where tenant_id = $1 and id = $2 and deleted_at is null
returning
    id, url, types, description, active, failing_since, disabled_at, disabled_reason, old_secret_until, version, created_at,
    updated_at
