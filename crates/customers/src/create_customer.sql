insert into customers.customer (tenant_id, id, reference, name, email, phone, note, active, version, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $9)
returning id, reference, name, email, phone, note, active, version, created_at, updated_at
