select t.id, t.slug, t.status, m.role, m.status, m.generation
from control.membership as m
join control.tenant as t on t.id = m.tenant_id
where m.account_id = $1 and m.status in ('active', 'invited')
order by t.slug
limit $2
