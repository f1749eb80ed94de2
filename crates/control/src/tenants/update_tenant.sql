update control.tenant
set name = coalesce($2, name),
    tier = coalesce($3, tier),
    settings = coalesce($4, settings),
    version = version + 1,
    updated_at = $6
where id = $1 and ($5::integer is null or version = $5)
