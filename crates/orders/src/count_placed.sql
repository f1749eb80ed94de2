-- $1 tenant, placed at or after $2 and before $3: how many orders, by the day (UTC) they were placed on.
select (o.created_at at time zone 'utc')::date::text, count(*)
from orders.customer_order as o
where o.tenant_id = $1 and o.created_at >= $2 and o.created_at < $3
group by (o.created_at at time zone 'utc')::date
order by (o.created_at at time zone 'utc')::date
