select s.id::text, 'a live sign-in of an account without a place in its tenant'
from control.session as s
join control.account as a on a.id = s.account_id
left join control.membership as m on m.tenant_id = s.tenant_id and m.account_id = s.account_id
where s.revoked_at is null
    and s.tenant_id is not null
    and a.platform_role is null
    and (m.account_id is null or m.status <> 'active')
    and $1::text[] is not null
order by s.id
limit 100
