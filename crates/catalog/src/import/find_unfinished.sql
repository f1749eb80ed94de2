select id
from catalog.import_run
where tenant_id = $1 and id = any($2) and status in ('queued', 'running')
