select t.slug, 'it trades but lives on no known shard'
from control.tenant as t
left join control.shard as s on s.name = t.shard
where t.status in ('active', 'suspended')
    and (s.name is null or t.database is null)
    and $1::text[] is not null
order by t.slug
limit 100
