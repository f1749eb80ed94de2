select tenant_id, secret_hash, permissions, expires_at, revoked_at is not null
from control.api_key
where id = $1
