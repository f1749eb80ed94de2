insert into customers.consent (tenant_id, id, customer_id, purpose, granted, source, recorded_at)
values ($1, $2, $3, $4, $5, $6, $7)
returning id, purpose, granted, source, recorded_at
