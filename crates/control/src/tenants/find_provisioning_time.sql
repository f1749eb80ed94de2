select extract(epoch from finished_at - started_at)::double precision
from control.provisioning
where tenant_id = $1
