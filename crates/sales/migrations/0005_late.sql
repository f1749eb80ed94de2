-- no-transaction
create index concurrently if not exists sale_late on sales.sale (tenant_id, created_at, id) where created_at - occurred_at > interval '24:00:00'
