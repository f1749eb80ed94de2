-- What was said by those who have become this customer is theirs.
select s.id, s.purpose, s.granted, s.source, s.recorded_at
from customers.consent as s
where
    s.tenant_id = $1 and s.id < $3
    and s.customer_id in (
        select c.id
        from customers.customer as c
        where c.tenant_id = $1 and (c.id = $2 or c.merged_into = $2)
    )
order by s.id desc
limit $4
