delete from control.role
where tenant_id = $1
    and name = $2
    and not exists (
        select
        from control.membership
        where tenant_id = $1 and role = $2 and status <> 'inactive'
    )
