insert into control.account (id, email, name, password, home_tenant, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $6)
on conflict (email) do nothing
returning id
