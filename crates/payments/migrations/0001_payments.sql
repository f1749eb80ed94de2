-- Money taken and given back through providers. The key of every call to a provider is the id of its row here.
create schema payments;

create table payments.payment (
    tenant_id      uuid        not null,
    id             uuid        not null,
    provider       text        not null,
    method         text        not null,
    amount         bigint      not null,
    currency       text        not null,
    state          text        not null,
    provider_ref   text,
    action         jsonb,
    failure_code   text,
    failure_detail text,
    purpose        text,
    owner          text,
    opened_by      text        not null,
    captured       bigint      not null,
    refunded       bigint      not null,
    refunding      bigint      not null,
    next_check_at  timestamptz,
    attempts       integer     not null,
    version        integer     not null,
    created_at     timestamptz not null,
    updated_at     timestamptz not null,
    settled_at     timestamptz,
    primary key (tenant_id, id),
    constraint payment_amount_positive check (amount > 0),
    constraint payment_state_known
        check (state in ('pending', 'requires_action', 'succeeded', 'failed', 'cancelled', 'unknown')),
    constraint payment_settled_has_time
        check ((settled_at is not null) = (state in ('succeeded', 'failed', 'cancelled'))),
    constraint payment_captured_when_succeeded
        check (captured = case when state = 'succeeded' then amount else 0 end),
    constraint payment_never_over_refunded
        check (refunded >= 0 and refunding >= 0 and refunded + refunding <= captured),
    constraint payment_bounded
        check (length(method) <= 200 and length(provider_ref) <= 255 and length(failure_code) <= 64
               and length(failure_detail) <= 500 and length(purpose) <= 100 and length(owner) <= 64)
);
create index payment_due on payments.payment (tenant_id, next_check_at) where next_check_at is not null;
create index payment_by_purpose on payments.payment (tenant_id, purpose, id) where purpose is not null;
create index payment_unsettled on payments.payment (tenant_id, created_at, id) where settled_at is null;
create index payment_by_time on payments.payment (tenant_id, created_at, id);
create index payment_settled on payments.payment (tenant_id, settled_at) where settled_at is not null;
select db.protect('payments.payment');

create table payments.refund (
    tenant_id     uuid        not null,
    id            uuid        not null,
    payment_id    uuid        not null,
    amount        bigint      not null,
    currency      text        not null,
    state         text        not null,
    reason        text        not null,
    provider_ref  text,
    failure_code  text,
    requested_by  text        not null,
    source        text        not null,
    next_check_at timestamptz,
    attempts      integer     not null,
    version       integer     not null,
    created_at    timestamptz not null,
    updated_at    timestamptz not null,
    settled_at    timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, payment_id) references payments.payment (tenant_id, id),
    constraint refund_amount_positive check (amount > 0),
    constraint refund_state_known check (state in ('pending', 'succeeded', 'failed')),
    constraint refund_settled_has_time check ((settled_at is not null) = (state <> 'pending')),
    constraint refund_bounded
        check (length(reason) <= 500 and length(provider_ref) <= 255 and length(failure_code) <= 64)
);
create index refund_by_payment on payments.refund (tenant_id, payment_id, id);
create index refund_due on payments.refund (tenant_id, next_check_at) where next_check_at is not null;
create index refund_settled on payments.refund (tenant_id, settled_at) where settled_at is not null;
select db.protect('payments.refund');

-- What happened to a payment and its refunds, after their opening. Of the payment itself when refund_id is all zeros.
create table payments.status_change (
    tenant_id  uuid        not null,
    payment_id uuid        not null,
    refund_id  uuid        not null,
    version    integer     not null,
    from_state text        not null,
    to_state   text        not null,
    source     text        not null,
    actor      text        not null,
    at         timestamptz not null,
    primary key (tenant_id, payment_id, refund_id, version),
    constraint status_change_source_known check (source in ('api', 'webhook', 'reconcile', 'checkout'))
);
select db.protect_append_only('payments.status_change');

-- What providers have told, so that a replay has no second effect. Kept for 30 days.
create table payments.webhook_event (
    tenant_id   uuid        not null,
    provider    text        not null,
    event_id    text        not null,
    payment_id  uuid,
    received_at timestamptz not null,
    primary key (tenant_id, provider, event_id)
);
create index webhook_event_by_age on payments.webhook_event (tenant_id, received_at);
select db.protect('payments.webhook_event');

-- A merchant's account with a provider; what is secret in it is sealed with the installation's master key.
create table payments.provider_account (
    tenant_id  uuid        not null,
    provider   text        not null,
    sealed     bytea       not null,
    hint       text        not null,
    version    integer     not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, provider)
);
select db.protect('payments.provider_account');

-- The test provider's own ledger: what it has charged, kept apart from the books as a bank's would be.
create table payments.test_charge (
    tenant_id  uuid        not null,
    id         uuid        not null,
    method     text        not null,
    amount     bigint      not null,
    currency   text        not null,
    state      text        not null,
    refunded   bigint      not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    constraint test_charge_state_known check (state in ('charged', 'declined', 'awaiting', 'cancelled')),
    constraint test_charge_never_over_refunded check (refunded between 0 and amount)
);
create index test_charge_by_time on payments.test_charge (tenant_id, updated_at);
select db.protect('payments.test_charge');

create table payments.test_refund (
    tenant_id  uuid        not null,
    id         uuid        not null,
    charge_id  uuid        not null,
    amount     bigint      not null,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, charge_id) references payments.test_charge (tenant_id, id),
    constraint test_refund_amount_positive check (amount > 0)
);
create index test_refund_by_charge on payments.test_refund (tenant_id, charge_id);
select db.protect_append_only('payments.test_refund');

-- Rows as the program hands them over (docs/adr/0022-rows-as-parameters.md). A type never changes.
create type payments.new_payment as (
    id uuid,
    provider text,
    method text,
    amount bigint,
    currency text,
    purpose text,
    owner text
);
create type payments.new_settlement as (
    payment_id uuid,
    state text,
    provider_ref text,
    action jsonb,
    failure_code text,
    failure_detail text,
    source text
);
create type payments.new_refund as (
    id uuid,
    payment_id uuid,
    -- Null: whatever is left.
    amount bigint,
    currency text,
    reason text,
    source text
);
create type payments.new_refund_result as (
    refund_id uuid,
    state text,
    provider_ref text,
    failure_code text,
    source text
);
create type payments.new_test_charge as (
    id uuid,
    method text,
    amount bigint,
    currency text,
    state text
);
