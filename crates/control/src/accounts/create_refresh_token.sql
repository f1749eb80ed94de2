insert into control.refresh_token (id, session_id, secret_hash, created_at, expires_at)
values ($1, $2, $3, $4, $5)
