-- What merchants want to be told over HTTP, and what became of each telling.
create schema webhooks;

create table webhooks.subscription (
    tenant_id        uuid        not null,
    id               uuid        not null,
    url              text        not null check (octet_length(url) between 1 and 2048),
    -- Names of message types, or '*' for all.
    types            text[]      not null check (cardinality(types) between 1 and 200),
    description      text        not null check (char_length(description) <= 500),
    active           boolean     not null,
    version          integer     not null default 1,
    -- Sealed with the installation's master key.
    secret           bytea       not null,
    old_secret       bytea,
    old_secret_until timestamptz,
    -- How the receiver does: since when nothing arrives, how many failures in a row, not to be called before.
    failing_since    timestamptz,
    failures         integer     not null default 0,
    held_until       timestamptz,
    disabled_at      timestamptz,
    disabled_reason  text,
    deleted_at       timestamptz,
    created_at       timestamptz not null,
    updated_at       timestamptz not null,
    primary key (tenant_id, id),
    constraint subscription_old_secret_ends check ((old_secret is null) = (old_secret_until is null)),
    constraint subscription_disabled_says_why check ((disabled_at is null) = (disabled_reason is null)),
    constraint subscription_disabled_is_off check (disabled_at is null or not active)
);
select db.protect('webhooks.subscription');

-- What is sent, once for all subscriptions that want it.
create table webhooks.message (
    tenant_id  uuid        not null,
    id         uuid        not null,
    kind       text        not null,
    subject    text        not null,
    body       text        not null,
    created_at timestamptz not null,
    primary key (tenant_id, id)
);
create index message_by_age on webhooks.message (tenant_id, created_at);
select db.protect('webhooks.message');

-- One message for one subscription: both the queue and the log.
create table webhooks.delivery (
    tenant_id       uuid        not null,
    id              uuid        not null,
    subscription_id uuid        not null,
    message_id      uuid        not null,
    kind            text        not null,
    subject         text        not null,
    state           text        not null,
    -- Attempts in all; those since it was made or replayed.
    attempts        integer     not null default 0,
    tries           integer     not null default 0,
    -- When it is next sent; while somebody sends it, when that counts as given up.
    next_attempt_at timestamptz,
    -- Who sends it now, or did last.
    claim           uuid,
    attempted_at    timestamptz,
    duration_ms     integer,
    response_status integer,
    response_body   text,
    error           text,
    created_at      timestamptz not null,
    finished_at     timestamptz,
    primary key (tenant_id, id),
    constraint delivery_state_known check (state in ('pending', 'delivered', 'failed', 'dropped')),
    constraint delivery_pending_has_time check ((state = 'pending') = (next_attempt_at is not null)),
    constraint delivery_ends check ((state = 'pending') = (finished_at is null))
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
create index delivery_due on webhooks.delivery (tenant_id, subscription_id, next_attempt_at) where state = 'pending';
create index delivery_fresh on webhooks.delivery (tenant_id, subscription_id, subject, id)
where state = 'pending' and tries = 0;
create index delivery_log on webhooks.delivery (tenant_id, subscription_id, id);
create index delivery_by_message on webhooks.delivery (tenant_id, message_id);
create index delivery_by_age on webhooks.delivery (tenant_id, created_at);
select db.protect('webhooks.delivery');
