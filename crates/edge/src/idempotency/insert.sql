-- Returns the keys it stored; a key that another transaction stored meanwhile is missing, and its effect must not stay.
insert into edge.idempotency (tenant_id, key_hash, fingerprint, status, resource, location, etag, body, created_at)
select $1, given.key_hash, given.fingerprint, given.status, given.resource, given.location, given.etag, given.body, $9
from unnest($2::uuid[], $3::uuid[], $4::smallint[], $5::uuid[], $6::text[], $7::text[], $8::bytea[])
    as given (key_hash, fingerprint, status, resource, location, etag, body)
on conflict (tenant_id, key_hash) do nothing
returning key_hash
