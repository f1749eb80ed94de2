-- $1 tenant: what its active webhooks wait for; '*' alone where one of them waits for all.
select distinct t.kind
from webhooks.subscription as s
cross join lateral unnest(s.types) as t (kind)
where s.tenant_id = $1 and s.active and s.deleted_at is null
