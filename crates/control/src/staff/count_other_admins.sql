select count(*)
from control.membership as m
join control.account as a on a.id = m.account_id
where m.tenant_id = $1 and m.account_id <> $2 and m.role = $3 and m.status = 'active' and a.active
