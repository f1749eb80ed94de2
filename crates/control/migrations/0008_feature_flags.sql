-- What is decided about a feature, for one tenant or, without one, for all that have no decision of their own.
create table control.feature_flag (
    feature    text        not null,
    tenant_id  uuid        references control.tenant (id) on delete cascade,
    enabled    boolean     not null,
    percentage smallint    not null,
    starts_at  timestamptz,
    ends_at    timestamptz,
    config     jsonb,
    version    integer     not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    updated_by text        not null,
    constraint feature_flag_unique unique nulls not distinct (feature, tenant_id),
    constraint feature_flag_percentage_range check (percentage between 0 and 100),
    constraint feature_flag_dates_in_order check (starts_at < ends_at),
    constraint feature_flag_feature_shape check (feature ~ '^[a-z][a-z0-9-]{0,49}$')
);
create index feature_flag_by_tenant on control.feature_flag (tenant_id);
