update control.session
set revoked_at = $4, revoked_reason = $3
where account_id = $1 and ($2::uuid is null or tenant_id = $2) and revoked_at is null
