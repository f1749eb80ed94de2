update control.account
set generation = generation + 1, updated_at = $2
where id = $1
