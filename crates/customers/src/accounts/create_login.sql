insert into customers.login (tenant_id, customer_id, email, password, created_at, updated_at)
values ($1, $2, $3, $4, $5, $5)
