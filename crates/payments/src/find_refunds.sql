-- $1 tenant, $2 payment
select id, payment_id, amount, currency, state, reason, provider_ref, failure_code, requested_by, next_check_at,
       created_at, settled_at
from payments.refund
where tenant_id = $1 and payment_id = $2
order by id
limit 1000
