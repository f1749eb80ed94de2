select a.customer_id as id
from customers.address as a
where a.tenant_id = $1
group by a.customer_id
having count(*) > 20 or count(*) filter (where a.default_shipping) > 1 or count(*) filter (where a.default_billing) > 1
order by a.customer_id
limit 100
