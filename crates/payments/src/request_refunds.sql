-- Promises money back: each payment is locked, so that refunds that race never promise more than was taken.
-- What is asked for again under the same id is granted without a second effect.
-- $1 tenant, $2 refunds, $3 now, $4 who, $5 most refunds of a payment
with wanted as materialized (
    select id, payment_id, amount, currency, reason, source
    from unnest($2::payments.new_refund[])
),
locked as materialized (
    select payment.id, payment.state, payment.currency,
           payment.captured - payment.refunded - payment.refunding as remains
    from payments.payment
    where payment.tenant_id = $1 and payment.id in (select payment_id from wanted)
    order by payment.id
    for no key update
),
fresh as materialized (
    select wanted.id, wanted.payment_id, coalesce(wanted.amount, locked.remains) as amount, locked.currency,
           wanted.reason, wanted.source, locked.remains,
           sum(coalesce(wanted.amount, locked.remains)) over (partition by wanted.payment_id) as together,
           count(*) over (partition by wanted.payment_id)
               + (select count(*) from payments.refund
                  where refund.tenant_id = $1 and refund.payment_id = wanted.payment_id) as number
    from wanted
    join locked on locked.id = wanted.payment_id
    where locked.state = 'succeeded'
      and (wanted.currency is null or wanted.currency = locked.currency)
      and not exists (select 1 from payments.refund where refund.tenant_id = $1 and refund.id = wanted.id)
),
granted as (
    insert into payments.refund
        (tenant_id, id, payment_id, amount, currency, state, reason, requested_by, source, next_check_at, attempts,
         version, created_at, updated_at)
    select $1, id, payment_id, amount, currency, 'pending', reason, $4, source, $3, 0, 1, $3, $3
    from fresh
    where together <= remains and amount > 0 and number <= $5
    returning id, payment_id, amount
),
promised as (
    update payments.payment
    set refunding = payment.refunding + sums.amount, updated_at = $3
    from (select payment_id, sum(amount)::bigint as amount from granted group by payment_id) as sums
    where payment.tenant_id = $1 and payment.id = sums.payment_id
)
select wanted.id, wanted.payment_id, locked.state, locked.currency, locked.remains,
       granted.id is not null
           or exists (select 1 from payments.refund
                      where refund.tenant_id = $1 and refund.id = wanted.id
                        and refund.payment_id = wanted.payment_id) as granted,
       coalesce(fresh.number > $5, false) as too_many
from wanted
left join locked on locked.id = wanted.payment_id
left join fresh on fresh.id = wanted.id
left join granted on granted.id = wanted.id
order by wanted.id
