insert into control.membership as m (tenant_id, account_id, role, status, created_at, updated_at)
values ($1, $2, $3, $4, $5, $5)
on conflict (tenant_id, account_id) do update
set role = excluded.role,
    status = excluded.status,
    generation = m.generation + 1,
    version = m.version + 1,
    updated_at = excluded.updated_at
where m.status = 'inactive'
