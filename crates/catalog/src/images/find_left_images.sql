select id
from catalog.image
where tenant_id = $1 and not shown and created_at < $2
order by created_at
limit $3
