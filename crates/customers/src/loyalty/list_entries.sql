select id, points, reason, reference, note, created_at
from customers.loyalty_entry
where tenant_id = $1 and customer_id = $2 and id < $3
order by id desc
limit $4
