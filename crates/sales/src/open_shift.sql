insert into sales.shift (tenant_id, id, register_id, opened_at, opened_by, opening_float)
values ($1, $2, $3, $4, $5, $6)
