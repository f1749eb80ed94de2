select
    coalesce((
        select s.granted
        from customers.consent as s
        where
            s.tenant_id = $1 and s.purpose = $3
            and s.customer_id in (
                select c.id
                from customers.customer as c
                where c.tenant_id = $1 and (c.id = $2 or c.merged_into = $2)
            )
        order by s.recorded_at desc, s.id desc
        limit 1
    ), false) and exists (
        select 1
        from customers.customer as c
        where c.tenant_id = $1 and c.id = $2 and c.active
    ) as granted
