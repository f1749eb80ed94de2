select id, status, bytes, bytes_done, created, updated, unchanged, rejected, failure, created_at, updated_at
from catalog.import_run
where tenant_id = $1 and id = $2
