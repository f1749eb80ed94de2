-- $1 tenants, $2 times taken, $3 why there was no answer, $4 now. A tenant that went meanwhile is left out.
insert into control.tenant_probe as p (tenant_id, checked_at, took_us, answered, reason, silent_since)
select t.id, $4::timestamptz, n.took_us, n.reason is null, n.reason,
    case when n.reason is not null then $4::timestamptz end
from unnest($1::uuid[], $2::integer[], $3::text[]) as n (tenant_id, took_us, reason)
join control.tenant as t on t.id = n.tenant_id
on conflict (tenant_id) do update
set checked_at = excluded.checked_at,
    took_us = excluded.took_us,
    answered = excluded.answered,
    reason = excluded.reason,
    silent_since = case when excluded.answered then null else coalesce(p.silent_since, excluded.silent_since) end
