-- no-transaction
create index concurrently if not exists security_event_tenant on control.security_event (tenant_id, occurred_at, id)
