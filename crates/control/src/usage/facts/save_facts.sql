-- $1 tenant, $2 days before this one are settled, $3 now, then columns of equal length: $4 days, $5 kinds, $6 amounts. Facts are
-- only ever added: of two counts the larger one is the later one.
with noted as (
    insert into control.fact_count as c (tenant_id, settled_before, counted_at)
    values ($1, $2::text::date, $3)
    on conflict (tenant_id) do update
    set settled_before = greatest(c.settled_before, excluded.settled_before),
        counted_at = greatest(c.counted_at, excluded.counted_at)
)
insert into control.fact_day as f (tenant_id, day, kind, amount, tier)
select t.id, n.day::date, n.kind, n.amount, t.tier
from control.tenant as t
cross join unnest($4::text[], $5::text[], $6::bigint[]) as n (day, kind, amount)
where t.id = $1
order by n.day, n.kind
on conflict (tenant_id, day, kind) do update
set amount = excluded.amount
where f.amount < excluded.amount
