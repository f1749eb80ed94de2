-- An invitation that nobody has accepted says nothing about whose account it is.
update control.account as a
set password = $3, version = a.version + 1, updated_at = $4
where a.id = $2
    and a.home_tenant = $1
    and a.platform_role is null
    and not exists (
        select
        from control.membership as m
        where m.account_id = a.id
            and m.tenant_id <> $1
            and (m.accepted_at is not null or m.status = 'active')
    )
