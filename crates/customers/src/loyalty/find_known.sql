-- Who has become this customer kept their entries.
with family as (
    select c.id
    from customers.customer as c
    where c.tenant_id = $1 and (c.id = $2 or c.merged_into = $2)
),
known as (
    select e.points
    from customers.loyalty_entry as e
    where
        e.tenant_id = $1 and e.customer_id in (select f.id from family as f)
        and e.reason = any($3) and e.reference = $4
),
returned as (
    select e.points
    from customers.loyalty_entry as e
    where
        e.tenant_id = $1 and e.customer_id in (select f.id from family as f)
        and e.reason = 'reverse' and e.origin = $4
)
select
    (
        coalesce((select sum(k.points) from known as k), 0) + coalesce((select sum(r.points) from returned as r), 0)
    )::bigint as remaining,
    (select count(*) from known) as entries
