select l.customer_id
from customers.customer as c
join customers.login as l on l.tenant_id = c.tenant_id and l.customer_id = c.id
where c.tenant_id = $1 and c.id = $2 and c.active and l.password = $3
for update of c, l
