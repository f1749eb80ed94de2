-- The subject and what is wrong with it. $1 tenant, $2 now
select subject, detail
from (
    select 'payment ' || id as subject, 'is ' || state || ', overdue since ' || next_check_at as detail
    from payments.payment
    where tenant_id = $1 and next_check_at < $2::timestamptz - interval '1 hour'
    union all
    select 'refund ' || id, 'is ' || state || ', overdue since ' || next_check_at
    from payments.refund
    where tenant_id = $1 and next_check_at < $2::timestamptz - interval '1 hour'
) as overdue
order by subject
limit 1000
