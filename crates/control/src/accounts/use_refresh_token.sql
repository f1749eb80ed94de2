update control.refresh_token
set used_at = $2
where id = $1
