select i.tenant_id, t.slug, i.id, i.name, i.url, i.audience, i.algorithms, i.mapping, i.active, i.created_at,
    i.updated_at, i.version
from control.issuer as i
join control.tenant as t on t.id = i.tenant_id
where ($1::uuid is null or i.tenant_id = $1)
    and ($2::text is null or i.name = $2)
    and (i.active or not $3)
order by i.tenant_id, i.name
limit $4
