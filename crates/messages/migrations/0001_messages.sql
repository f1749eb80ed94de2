-- Messages between modules: the outbox, what is still to be delivered, what has been handled, what was given up.

create schema messages;
grant usage on schema messages to markethall_app, markethall_relay;

-- One order over all messages of the database. No cache: numbers are given out in the order of asking, which is what
-- makes the order of messages of one aggregate the order in which its changes happened.
create sequence messages.outbox_seq as bigint;
grant usage on sequence messages.outbox_seq to markethall_app;
grant select on sequence messages.outbox_seq to markethall_relay;

-- Facts, never changed. Writing here is part of the hottest work, so that there is one index only, on the order of
-- reading, and no primary key (which would be a second one).
create table messages.outbox (
    tenant_id uuid not null,
    seq bigint not null,
    id uuid not null,
    created_at timestamptz not null,
    kind text not null check (octet_length(kind) between 1 and 100),
    subject text not null check (octet_length(subject) between 1 and 200),
    correlation_id text not null check (octet_length(correlation_id) <= 256),
    traceparent text check (octet_length(traceparent) <= 128),
    data json not null check (pg_column_size(data) <= 262144)
);
create index outbox_order on messages.outbox (seq);

-- A message on its way to one consumer; removed by the transaction that handles it. The key is the lane
-- (tenant, consumer, subject) and the place in it.
create table messages.delivery (
    tenant_id uuid not null,
    consumer text not null,
    subject text not null,
    seq bigint not null,
    message_id uuid not null,
    attempts int not null default 0,
    next_attempt_at timestamptz not null,
    last_error text,
    primary key (tenant_id, consumer, subject, seq)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, fillfactor = 80);

-- Proof that a consumer has handled a message, written by the transaction that holds the effect.
create table messages.inbox (
    tenant_id uuid not null,
    consumer text not null,
    message_id uuid not null,
    handled_at timestamptz not null,
    primary key (tenant_id, consumer, message_id)
);
create index inbox_handled_at on messages.inbox using brin (handled_at);

-- Given up after the last try; a whole copy, because it outlives the outbox row.
create table messages.dead_letter (
    tenant_id uuid not null,
    id uuid not null,
    consumer text not null,
    message_id uuid not null,
    seq bigint not null,
    created_at timestamptz not null,
    kind text not null,
    subject text not null,
    correlation_id text not null,
    traceparent text,
    data json not null,
    attempts int not null,
    error text not null,
    failed_at timestamptz not null,
    primary key (tenant_id, id)
);
create index dead_letter_id on messages.dead_letter (id);

-- How far the relay has read and who reads; one row. It belongs to no tenant, and requests cannot see it.
create table messages.relay (
    only_row boolean primary key default true check (only_row),
    seq bigint not null,
    leader text,
    leader_since timestamptz
);
insert into messages.relay (seq) values (0);

select db.protect('messages.delivery');
select db.protect('messages.inbox');
select db.protect('messages.dead_letter');

-- As db.protect_append_only does, which insists on a primary key.
alter table messages.outbox enable row level security;
alter table messages.outbox force row level security;
create policy tenant_isolation on messages.outbox to markethall_app
using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
with check (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
create policy migration on messages.outbox to markethall_owner
using (current_setting('app.migrating', true) = 'on');
grant select, insert on messages.outbox to markethall_app;

-- The relay serves all tenants of the database, but nothing outside this schema.
create policy relay on messages.outbox to markethall_relay using (true) with check (true);
create policy relay on messages.delivery to markethall_relay using (true) with check (true);
create policy relay on messages.inbox to markethall_relay using (true) with check (true);
create policy relay on messages.dead_letter to markethall_relay using (true) with check (true);
grant select, insert, delete on messages.outbox to markethall_relay;
grant select, insert, update, delete on messages.delivery to markethall_relay;
grant select, delete on messages.inbox to markethall_relay;
grant select, insert, update, delete on messages.dead_letter to markethall_relay;
grant select, update on messages.relay to markethall_relay;
