select r.session_id::text, 'a sign-in with ' || count(*) || ' refresh tokens that work'
from control.refresh_token as r
join control.session as s on s.id = r.session_id
where r.used_at is null and s.revoked_at is null and $1::text[] is not null
group by r.session_id
having count(*) > 1
order by r.session_id
limit 100
