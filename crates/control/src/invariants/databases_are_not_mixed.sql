select t.shard || '/' || t.database, 'it is the own database of one tenant and used by ' || count(*) || ' tenants'
from control.tenant as t
where t.shard is not null and $1::text[] is not null
group by t.shard, t.database
having bool_or(t.dedicated) and count(*) > 1
order by t.shard, t.database
limit 100
