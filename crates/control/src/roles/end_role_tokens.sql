update control.membership
set generation = generation + 1
where tenant_id = $1 and role = $2
