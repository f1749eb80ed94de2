-- The trace that a message belongs to, so that telling a merchant of it is part of it. None where nothing is traced.
alter table webhooks.message add column traceparent text;
