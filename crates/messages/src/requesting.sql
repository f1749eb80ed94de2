-- Who asked for what in this database, $1 rows at most.
select r.tenant_id, r.kind
from messages.request as r
order by r.tenant_id, r.kind
limit $1
