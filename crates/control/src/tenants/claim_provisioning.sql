update control.provisioning as p
set claimed_by = $2, claimed_until = $3, attempts = p.attempts + 1
from control.tenant as t
where p.tenant_id = $1
    and t.id = p.tenant_id
    and p.step <> 'done'
    and (p.claimed_until is null or p.claimed_until < $4 or p.claimed_by = $2)
returning t.id, t.slug, t.name, t.tier, t.status, t.currency, t.settings, t.dedicated, t.shard, t.database, t.rate_limit,
    p.step, p.attempts, t.region, p.wanted_shard, p.admin_email, p.admin_password
