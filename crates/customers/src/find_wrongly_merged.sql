select c.id
from customers.customer as c
left join customers.customer as s on s.tenant_id = c.tenant_id and s.id = c.merged_into
where
    c.tenant_id = $1 and c.merged_into is not null
    and (
        c.active or s.id is null or s.merged_into is not null
        or exists (select 1 from customers.login as l where l.tenant_id = $1 and l.customer_id = c.id)
        or exists (select 1 from customers.address as a where a.tenant_id = $1 and a.customer_id = c.id)
        or exists (
            select 1
            from customers.loyalty_balance as b
            where b.tenant_id = $1 and b.customer_id = c.id and b.points <> 0
        )
    )
order by c.id
limit 100
