-- $1 tenant, placed at or after $2 and before $3, after the time $4 and the identifier $5, $6 limit.
select o.id, o.created_at, o.number
from orders.customer_order as o
where o.tenant_id = $1 and o.created_at >= $2 and o.created_at < $3
    and ($4::timestamptz is null or (o.created_at, o.id) > ($4, $5::uuid))
order by o.created_at, o.id
limit $6
