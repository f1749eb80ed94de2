-- Which steps a database has. Written by the runner, in the step's own transaction.
create schema db;

create table db.migration (
    domain text not null,
    version integer not null,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default now(),
    primary key (domain, version)
);

comment on schema db is 'Bookkeeping of the database itself; holds no tenant''s data.';
