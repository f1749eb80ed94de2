select s.customer_id, s.secret_hash, s.expires_at > $3 and c.active as alive
from customers.session as s
join customers.customer as c on c.tenant_id = s.tenant_id and c.id = s.customer_id
where s.tenant_id = $1 and s.id = $2
for update of s
