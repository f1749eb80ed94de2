-- no-transaction
create index concurrently if not exists security_event_kind on control.security_event (kind, occurred_at, id)
