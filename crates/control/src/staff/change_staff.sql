-- Active places of older programs lack the time they were accepted; a code ends with its invitation.
update control.membership
set role = $3,
    status = $4,
    accepted_at = case when status = 'active' then coalesce(accepted_at, updated_at) else accepted_at end,
    invitation_hash = case when $4 = 'invited' then invitation_hash end,
    invitation_expires_at = case when $4 = 'invited' then invitation_expires_at end,
    generation = generation + 1,
    version = version + 1,
    updated_at = $5
where tenant_id = $1 and account_id = $2
