-- First statement of the handling transaction: takes the delivery out and writes the inbox row. It takes only the first
-- of its lane, so that two leaders (one of which does not know yet that it is none) cannot break the order; and only the
-- version of the row that was carried ($7), so that a copy from before a failure cannot take the retry's place.
with claimed as (
    delete from messages.delivery as d
    where
        d.tenant_id = $1 and d.consumer = $2 and d.subject = $3 and d.seq = $4 and d.xmin::text::bigint = $7
        and not exists (
            select
            from messages.delivery as e
            where e.tenant_id = $1 and e.consumer = $2 and e.subject = $3 and e.seq < $4
        )
    returning d.seq
),
marked as (
    insert into messages.inbox (tenant_id, consumer, message_id, handled_at)
    select $1, $2, $5, $6
    from claimed
    on conflict do nothing
    returning message_id
)
select
    exists (select from claimed) as claimed,
    exists (select from marked) as fresh,
    exists (
        select
        from messages.delivery as d
        where
            d.tenant_id = $1 and d.consumer = $2 and d.subject = $3 and d.seq = $4 and d.xmin::text::bigint = $7
    ) as there
