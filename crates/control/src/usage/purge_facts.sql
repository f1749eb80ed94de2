delete from control.fact_day as f
where (f.tenant_id, f.day, f.kind) in (
    select o.tenant_id, o.day, o.kind
    from control.fact_day as o
    where o.day < ($1::timestamptz at time zone 'utc')::date
    order by o.day
    limit $2
)
