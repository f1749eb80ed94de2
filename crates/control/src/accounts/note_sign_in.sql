-- The account's own time is for programs that do not know the place's yet.
with place as (
    update control.membership
    set last_sign_in_at = $3
    where tenant_id = $2 and account_id = $1 and status = 'active'
)
update control.account
set last_sign_in_at = $3
where id = $1
