-- Takes an import that nobody works on. Two that try at once: one waits for the row, finds it taken, gets nothing.
update catalog.import_run
set status = 'running', worker = $3, leased_until = $5, updated_at = $4
where
    tenant_id = $1 and id = $2 and status in ('queued', 'running')
    and (leased_until is null or leased_until <= $4)
returning line_done, created, updated, unchanged
