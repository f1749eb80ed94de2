insert into edge.idempotency (tenant_id, key_hash, fingerprint, status, resource, created_at)
select $1, given.key_hash, given.fingerprint, $5, given.resource, $6
from unnest($2::uuid[], $3::uuid[], $4::uuid[]) as given (key_hash, fingerprint, resource)
on conflict (tenant_id, key_hash) do nothing
returning resource
