select t.slug, 'it is ' || t.status || ' but setting it up stands at ' || coalesce(p.step, 'nothing')
from control.tenant as t
left join control.provisioning as p on p.tenant_id = t.id
where (t.status in ('active', 'suspended')) <> coalesce(p.step = 'done', false)
    and $1::text[] is not null
order by t.slug
limit 100
