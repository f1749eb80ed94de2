select a.id, a.email, a.name, m.role, m.status, a.last_sign_in_at, m.created_at, m.updated_at, m.version
from control.membership as m
join control.account as a on a.id = m.account_id
where m.tenant_id = $1
    and ($2::text is null or m.status = $2)
    and ($3::uuid is null or m.account_id > $3)
order by m.account_id
limit $4
