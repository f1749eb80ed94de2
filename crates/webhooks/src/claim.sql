-- $1 tenant, $2 now, $3 when what is claimed counts as given up, $4 claim, $5 most in all, $6 most per webhook,
-- $7 webhooks that are being called, $8 how often each.
-- A delivery that was never tried waits for earlier ones of its subject that were not either: so first attempts keep the
-- order, and a failing one is in nobody's way.
with due as materialized (
    select p.id
    from webhooks.subscription as s
    cross join lateral (
        select d.id, d.next_attempt_at
        from webhooks.delivery as d
        where
            d.tenant_id = $1 and d.subscription_id = s.id and d.state = 'pending' and d.next_attempt_at <= $2
            and (
                d.tries > 0
                or not exists (
                    select
                    from webhooks.delivery as e
                    where
                        e.tenant_id = $1 and e.subscription_id = s.id and e.subject = d.subject
                        and e.state = 'pending' and e.tries = 0 and e.id < d.id
                )
            )
        order by d.next_attempt_at, d.id
        limit greatest(
            $6::bigint - coalesce(
                (select b.calls from unnest($7::uuid[], $8::bigint[]) as b (id, calls) where b.id = s.id), 0
            ),
            0
        )
        for update of d skip locked
    ) as p
    where
        s.tenant_id = $1 and s.active and s.deleted_at is null and (s.held_until is null or s.held_until <= $2)
    order by p.next_attempt_at, p.id
    limit $5
),
claimed as (
    update webhooks.delivery as d
    set next_attempt_at = $3, claim = $4
    from due
    where d.tenant_id = $1 and d.id = due.id
    returning d.id, d.subscription_id, d.message_id, d.tries
)
select
    c.id, c.subscription_id, c.message_id, c.tries, m.body, m.traceparent, s.url, s.secret,
    case when s.old_secret_until > $2 then s.old_secret end as old_secret
from claimed as c
join webhooks.subscription as s on s.tenant_id = $1 and s.id = c.subscription_id
join webhooks.message as m on m.tenant_id = $1 and m.id = c.message_id
order by c.id
