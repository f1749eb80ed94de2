update control.api_key as k
set last_used_at = greatest(k.last_used_at, u.used_at)
from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as u (tenant_id, id, used_at)
where k.tenant_id = u.tenant_id and k.id = u.id
