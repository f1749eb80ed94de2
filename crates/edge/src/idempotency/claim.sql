-- The lock is tried first; a stored answer counts whether or not somebody else replays it at this moment.
select claim.mine, stored.key_hash, stored.fingerprint, stored.status, stored.resource, stored.location, stored.etag, stored.body
from (select pg_try_advisory_xact_lock($3) as mine) as claim
left join edge.idempotency as stored on stored.tenant_id = $1 and stored.key_hash = $2
