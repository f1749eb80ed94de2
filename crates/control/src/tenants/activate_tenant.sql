update control.tenant
set status = 'active', activated_at = coalesce(activated_at, $2), version = version + 1, updated_at = $2
where id = $1 and status <> 'suspended'
