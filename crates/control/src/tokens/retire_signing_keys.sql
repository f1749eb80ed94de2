with expired as (
    delete from control.signing_key
    where verifies_until < $2
)
update control.signing_key
set verifies_until = $1
where verifies_until is null
