delete from customers.session
where tenant_id = $1 and id in (
    select s.id
    from customers.session as s
    where s.tenant_id = $1 and s.expires_at <= $2
    order by s.expires_at
    limit $3
)
