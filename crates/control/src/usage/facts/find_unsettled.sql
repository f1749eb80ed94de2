select coalesce(c.settled_before, (t.created_at at time zone 'utc')::date)::text
from control.tenant as t
left join control.fact_count as c on c.tenant_id = t.id
where t.id = $1
