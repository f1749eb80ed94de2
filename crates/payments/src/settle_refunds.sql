-- Writes down what became of refunds, each exactly once whoever races. Payments are locked first, as by everybody.
-- $1 tenant, $2 results, $3 now, $4 who
with wanted as materialized (
    select distinct on (refund_id) refund_id, state, provider_ref, failure_code, source
    from unnest($2::payments.new_refund_result[])
    order by refund_id
),
payment as materialized (
    select id
    from payments.payment
    where payment.tenant_id = $1
      and payment.id in (select refund.payment_id from payments.refund
                         where refund.tenant_id = $1 and refund.id in (select refund_id from wanted))
    order by id
    for no key update
),
open as materialized (
    select refund.id, refund.payment_id, refund.amount, wanted.state, wanted.provider_ref, wanted.failure_code,
           wanted.source
    from payment
    join payments.refund on refund.tenant_id = $1 and refund.payment_id = payment.id
    join wanted on wanted.refund_id = refund.id
    where refund.state = 'pending'
    order by refund.id
    for no key update of refund
),
settled as (
    update payments.refund
    set state = open.state,
        provider_ref = coalesce(open.provider_ref, refund.provider_ref),
        failure_code = open.failure_code,
        next_check_at = case when open.state = 'pending' then refund.next_check_at end,
        settled_at = case when open.state <> 'pending' then $3::timestamptz end,
        version = refund.version + case when open.state = 'pending' then 0 else 1 end,
        updated_at = $3
    from open
    where refund.tenant_id = $1 and refund.id = open.id
    returning refund.id, refund.payment_id, refund.version, refund.state, refund.amount, refund.currency,
              refund.reason, refund.provider_ref, refund.failure_code
),
paid_back as (
    update payments.payment
    set refunding = payment.refunding - sums.amount,
        refunded = payment.refunded + sums.gone,
        updated_at = $3
    from (select payment_id, sum(amount)::bigint as amount,
                 coalesce(sum(amount) filter (where state = 'succeeded'), 0)::bigint as gone
          from settled
          where state <> 'pending'
          group by payment_id) as sums
    where payment.tenant_id = $1 and payment.id = sums.payment_id
),
noted as (
    insert into payments.status_change
        (tenant_id, payment_id, refund_id, version, from_state, to_state, source, actor, at)
    select $1, settled.payment_id, settled.id, settled.version, 'pending', settled.state, open.source, $4, $3
    from settled
    join open using (id)
    where settled.state <> 'pending'
)
select id, payment_id, state, amount, currency, reason, provider_ref, failure_code
from settled
where state <> 'pending'
order by id
