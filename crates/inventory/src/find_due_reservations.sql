-- Those that another process is closing right now are left to it. $1 tenant, $2 now, $3 limit
select id
from inventory.reservation
where tenant_id = $1 and state = 'open' and expires_at <= $2
order by expires_at
limit $3
for no key update skip locked
