insert into customers.session (tenant_id, id, customer_id, secret_hash, created_at, expires_at)
values ($1, $2, $3, $4, $5, $6)
