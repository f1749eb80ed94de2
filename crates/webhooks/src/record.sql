-- $1 tenant, $2 delivery, $3 claim, $4 state, $5 next attempt or null, $6 now, $7 duration in ms, $8 status or null,
-- $9 beginning of the response or null, $10 error or null. Whoever lost the claim records nothing.
update webhooks.delivery
set
    state = $4, attempts = attempts + 1, tries = tries + 1, next_attempt_at = $5::timestamptz, claim = null, attempted_at = $6::timestamptz,
    duration_ms = $7, response_status = $8, response_body = $9, error = $10,
    finished_at = case when $4 <> 'pending' then $6::timestamptz end
where tenant_id = $1 and id = $2 and claim = $3 and state = 'pending'
