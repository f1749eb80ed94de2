select id, name, permissions, created_by, created_at, expires_at, revoked_at, last_used_at
from control.api_key
where tenant_id = $1 and id = $2
