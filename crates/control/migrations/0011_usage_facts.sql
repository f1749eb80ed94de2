-- What else tenants use by the hour: messages published, and what they hold, as sampled within it (null: not sampled).
alter table control.usage_hour
    add column messages bigint not null default 0,
    add column stored_rows bigint,
    add column stored_bytes bigint;

-- The same by day, held on the average of its samples; and the tier that the tenant had when the day was first added up.
alter table control.usage_day
    add column messages bigint not null default 0,
    add column stored_rows bigint,
    add column stored_bytes bigint,
    add column tier text;

-- Billable facts by day (UTC) and kind, counted in the tenant's own books.
create table control.fact_day (
    tenant_id uuid   not null references control.tenant (id) on delete cascade,
    day       date   not null,
    kind      text   not null check (octet_length(kind) between 1 and 50),
    amount    bigint not null check (amount >= 0),
    tier      text   not null,
    primary key (tenant_id, day, kind)
);
create index fact_day_by_day on control.fact_day (day);

-- How far each tenant's facts are counted: days before `settled_before` change no more.
create table control.fact_count (
    tenant_id      uuid        not null references control.tenant (id) on delete cascade,
    settled_before date        not null,
    counted_at     timestamptz not null,
    primary key (tenant_id)
);
create index fact_count_by_age on control.fact_count (counted_at);
