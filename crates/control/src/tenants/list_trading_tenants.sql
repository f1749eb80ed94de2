select id, slug, name, tier, status, currency, settings, dedicated, shard, database
from control.tenant
where slug > $1 and status in ('active', 'suspended')
order by slug
limit $2
