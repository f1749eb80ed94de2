insert into control.idempotency (key_hash, fingerprint, sealed, created_at)
values ($1, $2, $3, $4)
on conflict (key_hash) do nothing
