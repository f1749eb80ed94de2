insert into control.session (id, account_id, tenant_id, created_at, expires_at)
values ($1, $2, $3, $4, $5)
