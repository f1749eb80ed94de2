-- $1 tenant, $2 key, $3 now
update payments.test_charge
set state = 'cancelled', updated_at = $3
where tenant_id = $1 and id = $2 and state = 'awaiting'
