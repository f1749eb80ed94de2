with failed as (
    update control.provisioning
    set last_error = $4, next_attempt_at = $5, claimed_until = null
    where tenant_id = $1 and claimed_by = $2
    returning tenant_id
)
update control.tenant
set status = $3, version = version + 1, updated_at = $6
from failed
where tenant.id = failed.tenant_id
