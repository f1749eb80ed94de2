select t.id, t.slug, t.name, t.tier, t.status, t.currency, t.settings, t.dedicated, t.shard, t.database, t.rate_limit,
    t.region, t.version, t.created_at, t.updated_at, p.step, p.attempts, p.last_error, p.started_at, p.finished_at
from control.tenant as t
join control.provisioning as p on p.tenant_id = t.id
where t.slug = $1 or t.id = $2
