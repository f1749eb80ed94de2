-- Who did what to which thing, for each tenant, as a chain: each row's hash covers the one before it.
create schema audit;
grant usage on schema audit to markethall_app;

-- Where a tenant's chain begins and ends: what is before `first_seq` was forgotten in order, what is after `last_seq` was
-- never written.
create table audit.head (
    tenant_id  uuid   primary key,
    first_seq  bigint not null default 1,
    -- Of the row before the first.
    first_hash bytea  not null,
    last_seq   bigint not null default 0,
    last_hash  bytea  not null
) with (fillfactor = 50);
select db.protect('audit.head');

create table audit.entry (
    tenant_id      uuid        not null,
    seq            bigint      not null,
    at             timestamptz not null,
    -- Null where nobody was signed in.
    actor          text,
    operation      text        not null,
    method         text        not null,
    -- The path: which thing.
    subject        text        not null,
    status         smallint    not null,
    address        inet,
    agent          text,
    correlation_id text        not null,
    duration_us    bigint      not null,
    -- Redacted and compressed (zstd); null where there was none or it was too long.
    request        bytea,
    response       bytea,
    hash           bytea       not null,
    primary key (tenant_id, seq)
);
create index entry_by_actor on audit.entry (tenant_id, actor, seq);
create index entry_by_subject on audit.entry (tenant_id, subject text_pattern_ops, seq);
select db.protect_append_only('audit.entry');
-- What is older than it is kept is forgotten; nothing is ever changed.
grant delete on audit.entry to markethall_app;

-- How much of a spool file has been taken, so that none of it is taken twice.
create table audit.spooled (
    tenant_id uuid        not null,
    file      uuid        not null,
    line      bigint      not null,
    taken_at  timestamptz not null,
    primary key (tenant_id, file)
);
select db.protect('audit.spooled');

-- Rows as the program hands them over (docs/adr/0022-rows-as-parameters.md); a type never changes.
create type audit.new_entry as (
    seq            bigint,
    at             timestamptz,
    actor          text,
    operation      text,
    method         text,
    subject        text,
    status         smallint,
    address        inet,
    agent          text,
    correlation_id text,
    duration_us    bigint,
    request        bytea,
    response       bytea,
    hash           bytea
);
