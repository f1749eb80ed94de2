-- $1 tenant: when the next delivery of an active webhook may be sent.
select min(greatest(p.next_attempt_at, s.held_until)) as due
from webhooks.subscription as s
cross join lateral (
    select d.next_attempt_at
    from webhooks.delivery as d
    where d.tenant_id = $1 and d.subscription_id = s.id and d.state = 'pending'
    order by d.next_attempt_at
    limit 1
) as p
where s.tenant_id = $1 and s.active and s.deleted_at is null
