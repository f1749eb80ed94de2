-- $1 tenant, booked at or after $2 and before $3: how many sales, by the day (UTC) they were booked on. What was booked within a
-- day of its time is found by that, between $4 (a day before $2) and $5 (a day after $3, as tills run ahead by minutes); the few
-- others have an index of their own. The bounds are parameters because a sum in their place would keep row-level security from
-- using the index.
with booked as (
    select s.id, s.created_at
    from sales.sale as s
    where s.tenant_id = $1 and s.kind = 'sale' and s.created_at >= $2 and s.created_at < $3
        and s.occurred_at >= $4 and s.occurred_at < $5
        and s.created_at - s.occurred_at <= interval '24:00:00'
    union all
    select s.id, s.created_at
    from sales.sale as s
    where s.tenant_id = $1 and s.kind = 'sale' and s.created_at >= $2 and s.created_at < $3
        and s.created_at - s.occurred_at > interval '24:00:00'
)
select (b.created_at at time zone 'utc')::date::text, count(*)
from booked as b
where not exists (select from sales.imported_sale as i where i.tenant_id = $1 and i.sale_id = b.id)
group by (b.created_at at time zone 'utc')::date
order by (b.created_at at time zone 'utc')::date
