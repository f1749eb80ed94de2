-- $1 not counted since, $2 limit. Who has not been counted for longest, those never counted first.
select t.id, t.slug, t.name, t.tier, t.status, t.currency, t.settings, t.dedicated, t.shard, t.database, t.rate_limit
from control.tenant as t
left join control.fact_count as c on c.tenant_id = t.id
where t.activated_at is not null and (c.counted_at is null or c.counted_at < $1)
order by c.counted_at nulls first, t.id
limit $2
