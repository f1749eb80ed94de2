update control.membership
set status = 'active',
    accepted_at = $3,
    invitation_hash = null,
    invitation_expires_at = null,
    version = version + 1,
    updated_at = $3
where tenant_id = $1 and account_id = $2 and status = 'invited'
