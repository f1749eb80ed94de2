insert into control.membership as m (
    tenant_id, account_id, role, status, invited_name, accepted_at, invitation_hash, invitation_expires_at,
    created_at, updated_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
on conflict (tenant_id, account_id) do update
set role = excluded.role,
    status = excluded.status,
    invited_name = excluded.invited_name,
    invitation_hash = excluded.invitation_hash,
    invitation_expires_at = excluded.invitation_expires_at,
    generation = m.generation + 1,
    version = m.version + 1,
    updated_at = excluded.updated_at
where m.status <> 'active'
