-- $1 tenant, $2 message, $3 its kind, $4 its subject, $5 body, $6 now, $7 most that wait per webhook, $8 fresh ids, $9 trace
with hearing as materialized (
    select
        s.id,
        (
            select count(*)
            from (
                select
                from webhooks.delivery as d
                where d.tenant_id = $1 and d.subscription_id = s.id and d.state = 'pending'
                limit $7::bigint
            ) as waiting
        ) >= $7::bigint as is_full,
        row_number() over (order by s.id) as place
    from webhooks.subscription as s
    where
        s.tenant_id = $1 and s.active and s.deleted_at is null
        and ($3 = any(s.types) or '*' = any(s.types))
),
kept as (
    insert into webhooks.message (tenant_id, id, kind, subject, body, created_at, traceparent)
    select $1, $2, $3, $4, $5, $6, $9::text
    where exists (select from hearing)
    on conflict do nothing
),
made as (
    insert into webhooks.delivery (
        tenant_id, id, subscription_id, message_id, kind, subject, state, next_attempt_at, created_at, finished_at
    )
    select
        $1, ($8::uuid[])[h.place], h.id, $2, $3, $4, case when h.is_full then 'dropped' else 'pending' end,
        case when not h.is_full then $6::timestamptz end, $6, case when h.is_full then $6::timestamptz end
    from hearing as h
    where h.place <= cardinality($8::uuid[])
    returning state
)
select count(*) filter (where m.state = 'pending') as pending from made as m
