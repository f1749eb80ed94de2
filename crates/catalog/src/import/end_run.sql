update catalog.import_run
set
    status = $4, failure = $5, rejected = $6, bytes_done = case when $4 = 'done' then bytes else bytes_done end,
    updated_at = $7, worker = null, leased_until = null
where tenant_id = $1 and id = $2 and worker = $3 and status = 'running'
