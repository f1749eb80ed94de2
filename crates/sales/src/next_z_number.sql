select coalesce(max(z_number), 0) + 1 as next
from sales.shift
where tenant_id = $1 and register_id = $2
