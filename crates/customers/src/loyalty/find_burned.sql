select e.amount
from customers.loyalty_entry as e
where
    e.tenant_id = $1 and e.reason = 'burn' and e.reference = $3 and e.points = $4
    and e.customer_id in (
        select c.id
        from customers.customer as c
        where c.tenant_id = $1 and (c.id = $2 or c.merged_into = $2)
    )
limit 1
