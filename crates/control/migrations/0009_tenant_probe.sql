-- How a tenant's database answered when it was asked last. Asked in turn, so that everybody's turn comes.
create table control.tenant_probe (
    tenant_id    uuid        primary key references control.tenant (id) on delete cascade,
    checked_at   timestamptz not null,
    took_us      integer     not null,
    answered     boolean     not null,
    reason       text,
    silent_since timestamptz,
    constraint tenant_probe_says_why check (answered = (reason is null) and answered = (silent_since is null))
);
create index tenant_probe_silent on control.tenant_probe (silent_since) where not answered;
