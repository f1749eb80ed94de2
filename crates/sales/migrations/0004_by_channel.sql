-- no-transaction
create index concurrently if not exists sale_channel on sales.sale (tenant_id, channel, occurred_at, id) where channel <> 'till'
