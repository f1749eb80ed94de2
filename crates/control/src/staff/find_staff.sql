-- Before they accept, a person's own name is nobody's business: the inviter sees what they entered.
select a.id, a.email,
    case when m.accepted_at is not null or m.status = 'active' then a.name else coalesce(m.invited_name, '') end,
    m.role, m.status, m.last_sign_in_at, m.created_at, m.updated_at, m.version,
    m.accepted_at is not null or m.status = 'active'
from control.membership as m
join control.account as a on a.id = m.account_id
where m.tenant_id = $1 and m.account_id = $2
