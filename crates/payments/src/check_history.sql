-- The subject and what is wrong with it. $1 tenant, $2 now
select subject, detail
from (
    select 'payment ' || payment.id as subject,
           'is ' || payment.state || ', its history says ' || coalesce(last.to_state, 'pending') as detail
    from payments.payment
    left join payments.status_change as last
        on last.tenant_id = $1 and last.payment_id = payment.id
       and last.refund_id = '00000000-0000-0000-0000-000000000000' and last.version = payment.version
    where payment.tenant_id = $1 and $2::timestamptz is not null
      and payment.state <> case when payment.version = 1 then 'pending' else coalesce(last.to_state, '') end
    union all
    select 'refund ' || refund.id,
           'is ' || refund.state || ', its history says ' || coalesce(last.to_state, 'pending')
    from payments.refund
    left join payments.status_change as last
        on last.tenant_id = $1 and last.payment_id = refund.payment_id and last.refund_id = refund.id
       and last.version = refund.version
    where refund.tenant_id = $1
      and refund.state <> case when refund.version = 1 then 'pending' else coalesce(last.to_state, '') end
) as wrong
order by subject
limit 1000
