select name, description, permissions, updated_at, version
from control.role
where tenant_id = $1 and ($2::text is null or name = $2)
order by name
limit $3
