-- no-transaction
create index concurrently if not exists sale_cashier on sales.sale (tenant_id, cashier, occurred_at, id)
