update messages.job set requested_at = $2 where name = $1 returning name
