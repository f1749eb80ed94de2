-- $1 tenant, $2 webhook: writes only when there is something to forget.
update webhooks.subscription
set failing_since = null, failures = 0, held_until = null
where
    tenant_id = $1 and id = $2
    and (failing_since is not null or failures > 0 or held_until is not null)
