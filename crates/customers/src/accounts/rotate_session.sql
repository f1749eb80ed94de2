-- However often it is refreshed, a sign-in ends after a year.
update customers.session
set secret_hash = $3, expires_at = least($4::timestamptz, created_at + interval '365 days')
where tenant_id = $1 and id = $2
