select t.slug || '/' || m.account_id, 'it has the role ' || m.role || ', which does not exist'
from control.membership as m
join control.tenant as t on t.id = m.tenant_id
left join control.role as r on r.tenant_id = m.tenant_id and r.name = m.role
where m.status <> 'inactive' and r.name is null and m.role <> all ($1)
order by t.slug, m.account_id
limit 100
