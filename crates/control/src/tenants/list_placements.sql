select t.shard, t.database, t.dedicated
from control.tenant as t
join control.provisioning as p on p.tenant_id = t.id
-- A tenant's own database is there once the step after its making has come.
where t.shard is not null and p.step not in ('place', 'create_database')
group by t.shard, t.database, t.dedicated
order by t.shard, t.database
