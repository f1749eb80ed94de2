select t.tier,
    count(*) filter (where t.status = 'active'),
    count(*) filter (where t.status = 'suspended'),
    count(*) filter (where t.status = 'provisioning'),
    count(*) filter (where t.status in ('provision_error', 'migration_error')),
    count(p.tenant_id),
    count(p.tenant_id) filter (where p.answered),
    percentile_disc(0.5) within group (order by p.took_us) filter (where p.answered),
    max(p.took_us) filter (where p.answered),
    count(*) filter (where t.status = 'migration_error')
from control.tenant as t
left join control.tenant_probe as p on p.tenant_id = t.id and t.status = 'active' and p.checked_at >= $1
group by t.tier
