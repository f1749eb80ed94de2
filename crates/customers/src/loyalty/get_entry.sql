select id, points, reason, reference, note, created_at
from customers.loyalty_entry
where tenant_id = $1 and id = $2
