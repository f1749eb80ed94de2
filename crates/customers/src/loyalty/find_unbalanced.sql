select coalesce(b.customer_id, e.customer_id) as id
from (
    select l.customer_id, l.points
    from customers.loyalty_balance as l
    where l.tenant_id = $1
) as b
full join (
    select l.customer_id, sum(l.points) as points
    from customers.loyalty_entry as l
    where l.tenant_id = $1
    group by l.customer_id
) as e on e.customer_id = b.customer_id
where b.points is distinct from e.points
order by 1
limit 100
