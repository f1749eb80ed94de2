-- $1 tenant, $2 id to start after or null, $3 limit
select
    id, url, types, description, active, failing_since, disabled_at, disabled_reason, old_secret_until, version, created_at,
    updated_at
from webhooks.subscription
where tenant_id = $1 and deleted_at is null and ($2::uuid is null or id > $2)
order by id
limit $3
