-- $1 tenant, $2 payment
select refund_id, from_state, to_state, source, actor, at
from payments.status_change
where tenant_id = $1 and payment_id = $2
order by at, refund_id, version
limit 1000
