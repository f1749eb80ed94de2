-- What must hold for each tenant's messages; at most 100 of each.
(
    select 'delivery_has_message' as invariant, d.message_id, d.consumer
    from messages.delivery as d
    where d.tenant_id = $1 and not exists (select from messages.outbox as o where o.seq = d.seq and o.id = d.message_id)
    limit 100
)
union all
(
    select 'handled_message_is_not_pending', d.message_id, d.consumer
    from messages.delivery as d
    where
        d.tenant_id = $1
        and exists (
            select
            from messages.inbox as i
            where i.tenant_id = d.tenant_id and i.consumer = d.consumer and i.message_id = d.message_id
        )
    limit 100
)
union all
(
    select 'dead_letter_was_not_handled', l.message_id, l.consumer
    from messages.dead_letter as l
    where
        l.tenant_id = $1
        and exists (
            select
            from messages.inbox as i
            where i.tenant_id = l.tenant_id and i.consumer = l.consumer and i.message_id = l.message_id
        )
    limit 100
)
