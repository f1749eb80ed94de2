select key_hash, fingerprint, status, resource, location, etag, body
from edge.idempotency
where tenant_id = $1 and key_hash = any($2)
