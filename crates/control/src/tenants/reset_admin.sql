with account as (
    update control.account
    set password = $4, active = true, version = version + 1, updated_at = $5
    where id = $2
)
update control.membership
set role = $3, status = 'active', version = version + 1, generation = generation + 1, updated_at = $5
where tenant_id = $1 and account_id = $2
