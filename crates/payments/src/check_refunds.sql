-- The subject and what is wrong with it. $1 tenant, $2 now
select 'payment ' || payment.id as subject,
       'refunded ' || payment.refunded || ' and refunding ' || payment.refunding || ', its refunds say '
           || coalesce(refunds.gone, 0) || ' and ' || coalesce(refunds.going, 0) as detail
from payments.payment
left join (
    select payment_id, sum(amount) filter (where state = 'succeeded') as gone,
           sum(amount) filter (where state = 'pending') as going
    from payments.refund
    where tenant_id = $1
    group by payment_id
) as refunds on refunds.payment_id = payment.id
where payment.tenant_id = $1 and $2::timestamptz is not null
  and (payment.refunded <> coalesce(refunds.gone, 0) or payment.refunding <> coalesce(refunds.going, 0))
order by payment.id
limit 1000
