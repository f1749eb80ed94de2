update checkout.checkout
set state = $3, phase = $4, reservation_id = $5, failure = $6, action = $7, steps = $8, lease_until = $9,
    updated_at = $10, finished_at = case when $3::text = 'running' then null else $10::timestamptz end
where tenant_id = $1 and id = $2
