update control.account
set password = $2, version = version + 1, updated_at = $3
where id = $1
