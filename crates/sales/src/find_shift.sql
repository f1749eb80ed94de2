select id, register_id, opened_at, opened_by, opening_float, closed_at, closed_by, report
from sales.shift
where tenant_id = $1 and id = $2
