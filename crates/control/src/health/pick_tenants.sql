-- Who has not been asked for longest, those never asked first. Who was silent comes an hour earlier than its turn, so that
-- it is known soon when it answers again; not always first, so that many silent ones leave turns to the others.
select t.id, t.slug, t.name, t.tier, t.status, t.currency, t.settings, t.dedicated, t.shard, t.database, t.rate_limit
from control.tenant as t
left join control.tenant_probe as p on p.tenant_id = t.id
where t.status = 'active'
order by p.checked_at - case when p.answered then interval '0' else interval '1 hour' end nulls first, t.id
limit $1
