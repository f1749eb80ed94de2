select id, name, permissions, created_by, created_at, expires_at, revoked_at, last_used_at
from control.api_key
where tenant_id = $1 and ($2::uuid is null or id < $2)
order by id desc
limit $3
