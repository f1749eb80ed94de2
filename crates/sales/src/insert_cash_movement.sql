insert into sales.cash_movement (tenant_id, id, shift_id, kind, amount, reason, actor, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
