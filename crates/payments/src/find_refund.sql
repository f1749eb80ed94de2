-- $1 tenant, $2 refund
select id, payment_id, amount, currency, state, reason, provider_ref, failure_code, requested_by, next_check_at,
       created_at, settled_at
from payments.refund
where tenant_id = $1 and id = $2
