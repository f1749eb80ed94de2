delete from control.sign_in_attempt
where (scope, subject) in (
    select scope, subject
    from control.sign_in_attempt
    where since < $1
    order by since
    limit $2
)
