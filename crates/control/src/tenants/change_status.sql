update control.tenant
set status = $3, version = version + 1, updated_at = $4
where id = $1 and status = $2
