select s.id, s.account_id, r.secret_hash, r.used_at is not null,
    r.expires_at <= $2 or s.expires_at <= $2 or s.revoked_at is not null or not a.active,
    t.slug, a.generation, a.platform_role is not null
from control.refresh_token as r
join control.session as s on s.id = r.session_id
join control.account as a on a.id = s.account_id
left join control.tenant as t on t.id = s.tenant_id
where r.id = $1
for update of r, s
