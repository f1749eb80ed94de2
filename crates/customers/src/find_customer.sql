select id, reference, name, email, phone, note, tags, merged_into, active, version, created_at, updated_at
from customers.customer
where tenant_id = $1 and id = $2
