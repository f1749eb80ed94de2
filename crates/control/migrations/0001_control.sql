-- The control plane: tenants and where they live, who may do what, keys and tokens, security events.
create schema control;
comment on schema control is 'Tenants, placement, identity. Lives in the control database only.';

-- A PostgreSQL cluster that may take new tenants. How to reach it is configuration and never stored here.
create table control.shard (
    name       text        primary key,
    region     text        not null,
    weight     integer     not null,
    purpose    text        not null,
    draining   boolean     not null default false,
    version    integer     not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint shard_name_shape check (name ~ '^[a-z][a-z0-9_-]{0,39}$'),
    constraint shard_weight_range check (weight between 1 and 1000),
    constraint shard_purpose_known check (purpose in ('any', 'shared', 'dedicated'))
);

-- One merchant. Where it lives is unknown until the first step of its provisioning.
create table control.tenant (
    id           uuid        primary key,
    slug         text        not null,
    name         text        not null,
    tier         text        not null,
    status       text        not null,
    currency     text        not null,
    settings     jsonb       not null,
    region       text        not null,
    dedicated    boolean     not null,
    shard        text        references control.shard (name),
    database     text,
    version      integer     not null default 1,
    created_at   timestamptz not null,
    updated_at   timestamptz not null,
    activated_at timestamptz,
    constraint tenant_slug_unique unique (slug),
    constraint tenant_slug_shape check (slug ~ '^[a-z0-9][a-z0-9-]{0,38}[a-z0-9]$'),
    constraint tenant_tier_known check (tier in ('free', 'standard', 'enterprise')),
    constraint tenant_status_known
        check (status in ('provisioning', 'active', 'suspended', 'provision_error', 'migration_error')),
    constraint tenant_currency_shape check (currency ~ '^[A-Z]{3}$'),
    constraint tenant_placed_in_whole check ((shard is null) = (database is null)),
    constraint tenant_trading_is_placed check (status not in ('active', 'suspended') or shard is not null)
);
create index tenant_by_shard on control.tenant (shard);
create unique index tenant_own_database on control.tenant (shard, database) where dedicated;

-- How far setting up a tenant has come; each step is repeatable, the row says which one is next.
create table control.provisioning (
    tenant_id       uuid        primary key references control.tenant (id),
    step            text        not null,
    admin_email     text        not null,
    admin_password  text,
    wanted_shard    text,
    attempts        integer     not null default 0,
    last_error      text,
    claimed_by      uuid,
    claimed_until   timestamptz,
    next_attempt_at timestamptz not null,
    started_at      timestamptz not null,
    finished_at     timestamptz,
    constraint provisioning_step_known
        check (step in ('place', 'create_database', 'migrate', 'seed', 'admin', 'activate', 'done'))
);
create index provisioning_due on control.provisioning (next_attempt_at) where step <> 'done';

-- A person. `generation` grows when every token issued so far must stop working.
create table control.account (
    id              uuid        primary key,
    email           text        not null,
    name            text        not null default '',
    password        text,
    active          boolean     not null default true,
    platform_role   text,
    home_tenant     uuid        references control.tenant (id),
    generation      integer     not null default 1,
    version         integer     not null default 1,
    last_sign_in_at timestamptz,
    created_at      timestamptz not null,
    updated_at      timestamptz not null,
    constraint account_email_unique unique (email),
    constraint account_email_lower check (email = lower(email)),
    constraint account_platform_role_known check (platform_role in ('super_admin'))
);

-- A person's place in a tenant. Invited: an account that existed before, until its owner signs in to this tenant.
create table control.membership (
    tenant_id  uuid        not null references control.tenant (id),
    account_id uuid        not null references control.account (id),
    role       text        not null,
    status     text        not null,
    generation integer     not null default 1,
    version    integer     not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, account_id),
    constraint membership_status_known check (status in ('active', 'invited', 'inactive'))
);
create index membership_by_account on control.membership (account_id);
create index membership_by_role on control.membership (tenant_id, role);

-- Roles that a tenant has made; the built-in ones are in the program.
create table control.role (
    tenant_id   uuid        not null references control.tenant (id),
    name        text        not null,
    description text        not null,
    permissions text[]      not null,
    version     integer     not null default 1,
    created_at  timestamptz not null,
    updated_at  timestamptz not null,
    primary key (tenant_id, name),
    constraint role_name_shape check (name ~ '^[a-z][a-z0-9_-]{1,39}$')
);

-- A sign-in that lives on through refresh tokens. Revoked as a whole when a used refresh token comes back.
create table control.session (
    id             uuid        primary key,
    account_id     uuid        not null references control.account (id),
    tenant_id      uuid        references control.tenant (id),
    created_at     timestamptz not null,
    expires_at     timestamptz not null,
    revoked_at     timestamptz,
    revoked_reason text
);
create index session_by_account on control.session (account_id) where revoked_at is null;
create index session_by_expiry on control.session (expires_at);

create table control.refresh_token (
    id          uuid        primary key,
    session_id  uuid        not null references control.session (id) on delete cascade,
    secret_hash bytea       not null,
    created_at  timestamptz not null,
    expires_at  timestamptz not null,
    used_at     timestamptz
);
create index refresh_token_by_session on control.refresh_token (session_id);

-- Failed sign-ins in the present window, per account name and per address; also of names that do not exist.
create table control.sign_in_attempt (
    scope        text        not null,
    subject      bytea       not null,
    failures     integer     not null,
    since        timestamptz not null,
    locked_until timestamptz,
    primary key (scope, subject),
    constraint sign_in_attempt_scope_known check (scope in ('account', 'address'))
);
create index sign_in_attempt_by_age on control.sign_in_attempt (since);

create table control.api_key (
    tenant_id    uuid        not null references control.tenant (id),
    id           uuid        not null,
    name         text        not null,
    secret_hash  bytea       not null,
    permissions  text[]      not null,
    created_by   text        not null,
    created_at   timestamptz not null,
    expires_at   timestamptz not null,
    revoked_at   timestamptz,
    last_used_at timestamptz,
    primary key (tenant_id, id),
    constraint api_key_id_unique unique (id)
);

-- Keys of the built-in issuer. The private half is sealed with the installation's master key.
create table control.signing_key (
    kid            text        primary key,
    public_x       text        not null,
    sealed_private bytea       not null,
    signs_from     timestamptz not null,
    verifies_until timestamptz,
    created_at     timestamptz not null
);

-- OpenID providers whose tokens a tenant takes. An audience belongs to one tenant, or a token would fit two.
create table control.issuer (
    tenant_id  uuid        not null references control.tenant (id),
    id         uuid        not null,
    name       text        not null,
    url        text        not null,
    audience   text        not null,
    algorithms text[]      not null,
    mapping    jsonb       not null,
    active     boolean     not null,
    version    integer     not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    constraint issuer_name_unique unique (tenant_id, name),
    constraint issuer_audience_unique unique (url, audience)
);

create table control.security_event (
    id             uuid        primary key,
    occurred_at    timestamptz not null,
    kind           text        not null,
    tenant_id      uuid,
    actor          text,
    address        inet,
    agent          text,
    reason         text        not null,
    operation      text        not null,
    correlation_id text        not null
);
create index security_event_by_time on control.security_event (occurred_at);

-- Answers to requests that carried an Idempotency-Key; sealed, because some hold a secret that is shown once.
create table control.idempotency (
    key_hash    uuid        primary key,
    fingerprint uuid        not null,
    sealed      bytea       not null,
    created_at  timestamptz not null
);
create index idempotency_by_age on control.idempotency (created_at);
