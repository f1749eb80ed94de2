delete from control.security_event
where id in (
    select id
    from control.security_event
    where occurred_at < $1
    order by occurred_at
    limit $2
)
