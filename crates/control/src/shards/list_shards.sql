select s.name, s.region, s.weight, s.purpose, s.draining,
    (select count(*) from control.tenant as t where t.shard = s.name), s.created_at, s.version
from control.shard as s
where $1::text is null or s.name = $1
order by s.name
limit 1000
