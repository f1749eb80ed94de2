-- $1 shard, $2 database, $3 the hour, then columns of equal length: $4 tenants, $5 rows, $6 bytes. Tenants of the database of
-- which nothing was found hold nothing; those that went meanwhile are left out.
insert into control.usage_hour
    (tenant_id, hour, calls, received_bytes, sent_bytes, worked_us, stored_rows, stored_bytes)
select t.id, $3, 0, 0, 0, 0, coalesce(n.stored_rows, 0), coalesce(n.stored_bytes, 0)
from control.tenant as t
left join unnest($4::uuid[], $5::bigint[], $6::bigint[]) as n (tenant_id, stored_rows, stored_bytes) on n.tenant_id = t.id
where t.shard = $1 and t.database = $2
order by t.id
on conflict (tenant_id, hour) do update
set stored_rows = excluded.stored_rows,
    stored_bytes = excluded.stored_bytes
