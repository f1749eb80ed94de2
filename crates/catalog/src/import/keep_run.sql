-- How far the import is, in the transaction of what it has done; nothing for a worker that has lost it.
update catalog.import_run
set
    bytes_done = least($4, bytes), line_done = $5, created = $6, updated = $7, unchanged = $8, rejected = $9,
    updated_at = $10, leased_until = $11
where tenant_id = $1 and id = $2 and worker = $3 and status = 'running'
