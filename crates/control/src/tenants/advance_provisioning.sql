update control.provisioning
set step = $3,
    claimed_until = case when $3 = 'done' then null else $4::timestamptz end,
    finished_at = case when $3 = 'done' then $5::timestamptz end,
    admin_password = case when $3 in ('activate', 'done') then null else admin_password end,
    last_error = null
where tenant_id = $1 and claimed_by = $2
