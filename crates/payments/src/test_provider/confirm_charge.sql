-- The payer's answer, once. $1 tenant, $2 key, $3 whether they approve, $4 now
update payments.test_charge
set state = case when $3 then 'charged' else 'declined' end, updated_at = $4
where tenant_id = $1 and id = $2 and state = 'awaiting'
