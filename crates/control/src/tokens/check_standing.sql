select exists (
    select
    from control.account as a
    left join control.membership as m on m.account_id = a.id and m.tenant_id = $2
    left join control.session as s on s.id = $3
    where a.id = $1
        and a.active
        and a.generation = $4
        and (
            case
                when $6 then a.platform_role is not null
                else m.status = 'active' and m.generation = $5
            end
        )
        and ($3::uuid is null or (s.account_id = a.id and s.revoked_at is null))
)
