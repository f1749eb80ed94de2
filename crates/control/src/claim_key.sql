select pg_try_advisory_xact_lock($2), i.fingerprint, i.sealed
from (select) as always
left join control.idempotency as i on i.key_hash = $1
