-- $1 tenant, $2 id, $3 now. The row and its deliveries are removed by the purge, in steps; the secrets at once.
update webhooks.subscription
set
    active = false, deleted_at = $3, updated_at = $3, secret = ''::bytea, old_secret = null, old_secret_until = null,
    version = version + 1
where tenant_id = $1 and id = $2 and deleted_at is null
