-- What tenants' requests cost the database: how long they held connections, and the rows that their statements moved.
alter table control.usage_hour
    add column database_us bigint not null default 0,
    add column moved_rows bigint not null default 0;
alter table control.usage_day
    add column database_us bigint not null default 0,
    add column moved_rows bigint not null default 0;
