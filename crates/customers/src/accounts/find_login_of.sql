select l.customer_id, l.email, l.password
from customers.login as l
join customers.customer as c on c.tenant_id = l.tenant_id and c.id = l.customer_id
where l.tenant_id = $1 and l.customer_id = $2 and c.active
