update messages.delivery
set attempts = $5, next_attempt_at = $6, last_error = $7
where tenant_id = $1 and consumer = $2 and subject = $3 and seq = $4
returning seq
