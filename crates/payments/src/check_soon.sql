-- Has the job look at what is not settled. $1 tenant, $2 payment, $3 now
update payments.payment
set next_check_at = $3
where tenant_id = $1 and id = $2 and settled_at is null
