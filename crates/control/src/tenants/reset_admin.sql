-- Only an account that this tenant made and that nobody else relies on; the same rule as of a reset by the tenant.
with own as (
    update control.account as a
    set password = $3, active = true, version = a.version + 1, updated_at = $5
    where a.email = $2
        and a.home_tenant = $1
        and a.platform_role is null
        and not exists (
            select
            from control.membership as m
            where m.account_id = a.id
                and m.tenant_id <> $1
                and (m.accepted_at is not null or m.status = 'active')
        )
    returning a.id
)
insert into control.membership as m (tenant_id, account_id, role, status, accepted_at, created_at, updated_at)
select $1, own.id, $4, 'active', $5, $5, $5
from own
on conflict (tenant_id, account_id) do update
set role = excluded.role,
    status = excluded.status,
    accepted_at = coalesce(m.accepted_at, excluded.accepted_at),
    invitation_hash = null,
    invitation_expires_at = null,
    generation = m.generation + 1,
    version = m.version + 1,
    updated_at = excluded.updated_at
returning m.account_id
