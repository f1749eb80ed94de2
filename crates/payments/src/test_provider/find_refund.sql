-- $1 tenant, $2 key
select amount
from payments.test_refund
where tenant_id = $1 and id = $2
