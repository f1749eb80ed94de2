insert into control.issuer as i (
    tenant_id, id, name, url, audience, algorithms, mapping, active, created_at, updated_at
)
select $1, $2, $3, $4, $5, $6, $7, $8, $9, $9
where (select count(*) from control.issuer where tenant_id = $1 and name <> $3) < $10
on conflict (tenant_id, name) do update
set url = excluded.url,
    audience = excluded.audience,
    algorithms = excluded.algorithms,
    mapping = excluded.mapping,
    active = excluded.active,
    version = i.version + 1,
    updated_at = excluded.updated_at
