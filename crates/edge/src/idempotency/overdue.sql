select count(*) as overdue
from edge.idempotency
where tenant_id = $1 and created_at < $2
