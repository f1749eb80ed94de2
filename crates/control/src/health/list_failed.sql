select t.slug, t.tier, t.status, p.step, p.attempts, p.last_error, t.updated_at
from control.tenant as t
join control.provisioning as p on p.tenant_id = t.id
where t.status in ('provision_error', 'migration_error')
order by t.updated_at, t.slug
limit $1
