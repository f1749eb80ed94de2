-- $1 tenant, $2 now
insert into control.fact_count (tenant_id, settled_before, counted_at)
select t.id, (t.created_at at time zone 'utc')::date, $2
from control.tenant as t
where t.id = $1
on conflict (tenant_id) do update
set counted_at = excluded.counted_at
