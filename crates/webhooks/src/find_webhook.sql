-- $1 tenant, $2 id
select
    id, url, types, description, active, failing_since, disabled_at, disabled_reason, old_secret_until, version, created_at,
    updated_at
from webhooks.subscription
where tenant_id = $1 and id = $2 and deleted_at is null
