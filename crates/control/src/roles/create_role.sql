with made as (
    insert into control.role (tenant_id, name, description, permissions, created_at, updated_at)
    select $1, $2, $3, $4, $5, $5
    where (select count(*) from control.role where tenant_id = $1) < $6
    returning name
)
select count(*)
from made
