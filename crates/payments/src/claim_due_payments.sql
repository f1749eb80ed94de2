-- Payments that are due, taken for this process until their next time; the pauses grow from a minute to six hours.
-- After three days nobody asks any more. $1 tenant, $2 now, $3 limit
with due as materialized (
    select id
    from payments.payment
    where tenant_id = $1 and next_check_at <= $2
    order by next_check_at, id
    limit $3
    for no key update skip locked
)
update payments.payment
set attempts = payment.attempts + 1,
    next_check_at = case when $2::timestamptz < payment.created_at + interval '3 days'
        then $2::timestamptz + least(interval '6 hours', interval '1 minute' * (1 << least(payment.attempts, 9))) end
from due
where payment.tenant_id = $1 and payment.id = due.id
returning payment.id, payment.provider, payment.method, payment.amount, payment.currency,
          payment.provider_ref, payment.state, payment.created_at
