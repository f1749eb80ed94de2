with made as (
    insert into control.api_key (
        tenant_id, id, name, secret_hash, permissions, created_by, created_at, expires_at
    )
    select $1, $2, $3, $4, $5, $6, $7, $8
    where (
        select count(*)
        from control.api_key
        where tenant_id = $1 and revoked_at is null and expires_at > $7
    ) < $9
    returning id
)
select count(*)
from made
