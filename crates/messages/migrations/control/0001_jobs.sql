-- Scheduled jobs: one row per job, shared by all processes of an installation.

create schema messages;
grant usage on schema messages to markethall_control;

create table messages.job (
    name text primary key check (octet_length(name) between 1 and 100),
    schedule text not null,
    next_run_at timestamptz not null,
    requested_at timestamptz,
    -- The run that holds the job, until when unless it says it is still alive, and which process it is.
    run_id uuid,
    leased_until timestamptz,
    host text,
    started_at timestamptz,
    last_run_at timestamptz,
    last_duration_ms bigint,
    last_error text,
    runs bigint not null default 0,
    failures bigint not null default 0
);
grant select, insert, update, delete on messages.job to markethall_control;
