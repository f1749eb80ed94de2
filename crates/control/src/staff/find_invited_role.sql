select m.role
from control.membership as m
join control.account as a on a.id = m.account_id
where m.tenant_id = $1 and a.email = $2 and m.status = 'invited'
