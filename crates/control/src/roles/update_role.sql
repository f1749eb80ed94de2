update control.role
set description = $3, permissions = $4, version = version + 1, updated_at = $6
where tenant_id = $1 and name = $2 and ($5::integer is null or version = $5)
