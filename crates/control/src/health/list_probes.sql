-- $1 at or after, $2 those that answered (slowest first) or those that did not (longest first), $3 limit
select t.slug, t.tier, t.shard, t.database, p.checked_at, p.took_us, p.reason, p.silent_since
from control.tenant_probe as p
join control.tenant as t on t.id = p.tenant_id
where t.status = 'active' and p.checked_at >= $1 and p.answered = $2
order by p.silent_since, case when $2 then p.took_us end desc, t.slug
limit $3
