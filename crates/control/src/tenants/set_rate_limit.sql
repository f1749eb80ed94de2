update control.tenant
set rate_limit = $2,
    version = version + 1,
    updated_at = $4
where id = $1 and ($3::integer is null or version = $3)
