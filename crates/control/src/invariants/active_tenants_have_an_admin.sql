select t.slug, 'nobody can run it, not even somebody invited'
from control.tenant as t
where t.status in ('active', 'suspended')
    and $1::text[] is not null
    and not exists (
        select
        from control.membership as m
        join control.account as a on a.id = m.account_id
        where m.tenant_id = t.id and m.role = 'tenant_admin' and m.status <> 'inactive' and a.active
    )
order by t.slug
limit 100
