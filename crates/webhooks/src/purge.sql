-- $1 tenant, $2 older than this, $3 rows of each kind at most. Messages go once no delivery needs them, webhooks that were
-- deleted once they have no deliveries; both see the state before this statement, so that the rest comes next time.
with deliveries as (
    delete from webhooks.delivery as d
    where
        d.tenant_id = $1
        and d.id = any(array(
            (select o.id from webhooks.delivery as o where o.tenant_id = $1 and o.created_at < $2 limit $3)
            union all
            (
                select o.id
                from webhooks.subscription as s
                join webhooks.delivery as o on o.tenant_id = $1 and o.subscription_id = s.id
                where s.tenant_id = $1 and s.deleted_at is not null
                limit $3
            )
        ))
    returning d.id
),
messages as (
    delete from webhooks.message as m
    where
        m.tenant_id = $1
        and m.id = any(array(
            select o.id
            from webhooks.message as o
            where
                o.tenant_id = $1 and o.created_at < $2
                and not exists (
                    select from webhooks.delivery as d where d.tenant_id = $1 and d.message_id = o.id
                )
            limit $3
        ))
    returning m.id
),
subscriptions as (
    delete from webhooks.subscription as s
    where
        s.tenant_id = $1 and s.deleted_at is not null
        and not exists (
            select from webhooks.delivery as d where d.tenant_id = $1 and d.subscription_id = s.id
        )
    returning s.id
)
select d.gone + m.gone + s.gone as removed, greatest(d.gone, m.gone) > 0 as more
from
    (select count(*) as gone from deliveries) as d,
    (select count(*) as gone from messages) as m,
    (select count(*) as gone from subscriptions) as s
