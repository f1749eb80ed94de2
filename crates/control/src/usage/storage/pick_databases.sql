-- $1 the hour, $2 limit. Databases of which nothing is sampled in that hour, in any order: one that never answers must not keep
-- others waiting.
select t.shard, t.database, t.dedicated
from control.tenant as t
join control.provisioning as p on p.tenant_id = t.id
left join control.usage_hour as h on h.tenant_id = t.id and h.hour = $1
where t.shard is not null and p.step not in ('place', 'create_database')
group by t.shard, t.database, t.dedicated
having count(h.stored_rows) = 0
order by random()
limit $2
