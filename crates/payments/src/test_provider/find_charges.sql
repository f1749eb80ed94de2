-- $1 tenant, $2 keys
select id, method, amount, currency, state
from payments.test_charge
where tenant_id = $1 and id = any ($2::uuid[])
