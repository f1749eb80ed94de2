-- The condition gives this transaction its id before any number is drawn from the sequence: the relay relies on it to
-- know when no message with a smaller number can appear any more (docs/adr/0020-outbox-and-relay.md).
insert into messages.outbox (tenant_id, seq, id, created_at, kind, subject, correlation_id, traceparent, data)
select
    $1, nextval('messages.outbox_seq'), m.id, m.created_at, m.kind, m.subject, m.correlation_id, m.traceparent,
    m.data::json
from unnest($2::messages.new_message[]) as m
where pg_current_xact_id() is not null
