-- $1 tenant, $2 payment
select id, provider, method, amount, currency, state, provider_ref, action, failure_code, failure_detail, purpose,
       owner, opened_by, captured, refunded, refunding, next_check_at, created_at, updated_at, settled_at
from payments.payment
where tenant_id = $1 and id = $2
