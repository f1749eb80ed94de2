update messages.job set leased_until = $2 where run_id = $1 returning name
