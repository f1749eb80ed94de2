delete from control.session
where id in (
    select id
    from control.session
    where expires_at < $1
    order by expires_at
    limit $2
)
