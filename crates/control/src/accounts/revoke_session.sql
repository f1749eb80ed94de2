update control.session
set revoked_at = $3, revoked_reason = $2
where id = $1 and revoked_at is null
