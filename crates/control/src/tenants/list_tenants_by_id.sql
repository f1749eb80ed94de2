select t.id, t.slug, t.name, t.tier, t.status, t.currency, t.settings, t.dedicated, t.shard, t.database, t.rate_limit
from control.tenant as t
where ($1::uuid is null or t.id > $1) and t.activated_at is not null
order by t.id
limit $2
