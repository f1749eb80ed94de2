select distinct c.id
from customers.session as s
join customers.customer as c on c.tenant_id = s.tenant_id and c.id = s.customer_id
left join customers.login as l on l.tenant_id = s.tenant_id and l.customer_id = s.customer_id
where s.tenant_id = $1 and (not c.active or l.customer_id is null)
order by c.id
limit 100
