select id, slug, name, tier, status, currency, settings, dedicated, shard, database, rate_limit
from control.tenant
where id = $1
