-- What tenants use of the edge, by the hour it was used in; an hour is the start of it.
create table control.usage_hour (
    tenant_id      uuid        not null references control.tenant (id) on delete cascade,
    hour           timestamptz not null,
    calls          bigint      not null,
    received_bytes bigint      not null,
    sent_bytes     bigint      not null,
    worked_us      bigint      not null,
    primary key (tenant_id, hour)
);
create index usage_hour_by_hour on control.usage_hour (hour);

-- The same by day (UTC), added up again and again until all of a day's hours are known.
create table control.usage_day (
    tenant_id      uuid   not null references control.tenant (id) on delete cascade,
    day            date   not null,
    calls          bigint not null,
    received_bytes bigint not null,
    sent_bytes     bigint not null,
    worked_us      bigint not null,
    primary key (tenant_id, day)
);
create index usage_day_by_day on control.usage_day (day);

-- What a process has handed in: the same batch, handed in again after an answer got lost, counts once.
create table control.usage_batch (
    id       uuid        primary key,
    saved_at timestamptz not null
);
create index usage_batch_by_age on control.usage_batch (saved_at);
