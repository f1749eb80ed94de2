-- What happened within a time, by provider and currency. $1 tenant, $2 from, $3 to
select provider, currency,
       count(*) filter (where what = 'succeeded') as charged,
       coalesce(sum(amount) filter (where what = 'succeeded'), 0)::bigint as charged_amount,
       count(*) filter (where what = 'refund') as refunded,
       coalesce(sum(amount) filter (where what = 'refund'), 0)::bigint as refunded_amount,
       count(*) filter (where what in ('failed', 'cancelled')) as failed,
       coalesce(sum(amount) filter (where what in ('failed', 'cancelled')), 0)::bigint as failed_amount,
       count(*) filter (where what = 'unsettled') as unsettled,
       coalesce(sum(amount) filter (where what = 'unsettled'), 0)::bigint as unsettled_amount
from (
    select provider, currency, state as what, amount
    from payments.payment
    where tenant_id = $1 and settled_at >= $2 and settled_at < $3
    union all
    select provider, currency, 'unsettled', amount
    from payments.payment
    where tenant_id = $1 and settled_at is null and created_at >= $2 and created_at < $3
    union all
    select payment.provider, refund.currency, 'refund', refund.amount
    from payments.refund
    join payments.payment on payment.tenant_id = $1 and payment.id = refund.payment_id
    where refund.tenant_id = $1 and refund.settled_at >= $2 and refund.settled_at < $3
      and refund.state = 'succeeded'
) as event
group by provider, currency
order by provider, currency
limit 1000
