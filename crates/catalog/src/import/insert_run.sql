insert into catalog.import_run (
    tenant_id, id, status, bytes, bytes_done, line_done, created, updated, unchanged, rejected, created_at, updated_at
)
values ($1, $2, 'queued', $3, 0, 0, 0, 0, 0, 0, $4, $4)
