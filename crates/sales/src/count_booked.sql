-- $1 tenant, booked at or after $2 and before $3: how many sales, by the day (UTC) they were booked on. What was booked within a
-- day of its time is found by that; the few others have an index of their own. Tills run ahead by minutes at most.
with booked as (
    select s.id, s.created_at
    from sales.sale as s
    where s.tenant_id = $1 and s.kind = 'sale' and s.created_at >= $2 and s.created_at < $3
        and s.occurred_at >= $2::timestamptz - interval '24:00:00' and s.occurred_at < $3::timestamptz + interval '24:00:00'
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
