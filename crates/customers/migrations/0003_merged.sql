-- no-transaction
create index concurrently if not exists customer_merged on customers.customer (tenant_id, merged_into) where merged_into is not null
