select id, reference, name, email, phone, note, active, version, created_at, updated_at
from customers.customer
where tenant_id = $1 and reference = $2 and id > $3 and ($4::boolean is null or active = $4)
