-- The duplicate, and whoever was merged into it before. Its reference stays its own.
update customers.customer as c
set
    merged_into = $3,
    active = false,
    version = c.version + 1,
    updated_at = greatest($4::timestamptz, c.updated_at)
where c.tenant_id = $1 and (c.id = $2 or c.merged_into = $2)
