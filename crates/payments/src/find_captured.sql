select id, captured, refunded + refunding as back
from payments.payment
where tenant_id = $1 and id = any ($2::uuid[])
