select count(*) as unfinished
from catalog.import_run
where tenant_id = $1 and status in ('queued', 'running')
