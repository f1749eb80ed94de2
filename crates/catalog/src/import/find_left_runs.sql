-- Imports that nobody works on, the oldest first.
select id, updated_at
from catalog.import_run
where
    tenant_id = $1 and status in ('queued', 'running') and (leased_until is null or leased_until <= $2)
order by created_at
limit 20
