select id, slug, name, tier, status, currency, settings, dedicated, shard, database
from control.tenant
where id = $1
