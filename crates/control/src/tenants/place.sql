update control.tenant
set shard = chosen.name, database = $6
from (
    select s.name
    from control.shard as s
    where not s.draining
        and s.purpose in ('any', case when $2 then 'dedicated' else 'shared' end)
        and ($3 = '' or s.region = $3)
        and ($4::text is null or s.name = $4)
        and s.name = any ($5)
    order by
        ($2 and s.purpose = 'dedicated') desc,
        (select count(*) from control.tenant as t where t.shard = s.name)::numeric / s.weight,
        s.name
    limit 1
) as chosen
where tenant.id = $1
