-- $1 tenant; at most 100 of each.
(
    select 'webhook_delivery_has_message' as invariant, d.id, 'message ' || d.message_id as detail
    from webhooks.delivery as d
    where
        d.tenant_id = $1
        and not exists (select from webhooks.message as m where m.tenant_id = $1 and m.id = d.message_id)
    limit 100
)
union all
(
    select 'webhook_delivery_has_webhook', d.id, 'webhook ' || d.subscription_id
    from webhooks.delivery as d
    where
        d.tenant_id = $1
        and not exists (select from webhooks.subscription as s where s.tenant_id = $1 and s.id = d.subscription_id)
    limit 100
)
union all
(
    select 'webhook_attempts_add_up', d.id, d.state || ' after ' || d.tries || ' of ' || d.attempts
    from webhooks.delivery as d
    where
        d.tenant_id = $1
        and (
            d.tries > d.attempts or d.tries > $2
            or (d.state = 'delivered' and d.response_status not between 200 and 299)
            or (d.state = 'dropped' and d.attempts > 0)
        )
    limit 100
)
