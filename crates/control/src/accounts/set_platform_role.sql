update control.account
set platform_role = $2, updated_at = $3
where email = $1
