insert into customers.note (tenant_id, id, customer_id, author, text, created_at)
values ($1, $2, $3, $4, $5, $6)
returning id, author, text, created_at
