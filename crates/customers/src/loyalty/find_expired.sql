-- Whatever went, went first from what came first: what came before the cutoff, less everything that ever went.
select e.customer_id, sum(e.points)::bigint as points
from customers.loyalty_entry as e
where e.tenant_id = $1 and e.customer_id = any($2) and (e.points < 0 or e.created_at < $3)
group by e.customer_id
having sum(e.points) > 0
order by e.customer_id
