-- The workflow that turns a cart into a paid order: its state is here, so that any process can go on with it.
create schema checkout;

create table checkout.checkout (
    tenant_id      uuid        not null,
    id             uuid        not null,
    -- `cus_..`, `gst_..` or `mem_..`
    owner          text        not null,
    -- Whose cart it is: stays when a guest signs in meanwhile.
    cart_owner     text        not null,
    state          text        not null,
    -- What is to be done next while it runs.
    phase          text        not null,
    shop_id        uuid        not null,
    -- Chosen at the start, so that doing a step again is recognised by whoever does it.
    reservation_id uuid        not null,
    payment_id     uuid,
    order_id       uuid        not null,
    sale_id        uuid        not null,
    provider       text        not null,
    method         text        not null,
    total          bigint      not null,
    -- The priced lines: what is charged is what is booked.
    plan           jsonb       not null,
    ship_to        jsonb,
    note           text        not null,
    -- {"code", "detail"}
    failure        jsonb,
    -- What the payer has to do.
    action         jsonb,
    -- [{"name", "state", "startedAt", "finishedAt", "detail"}]
    steps          jsonb       not null,
    attempts       integer     not null,
    -- Until then the process that works on it is left alone.
    lease_until    timestamptz not null,
    deadline_at    timestamptz not null,
    created_at     timestamptz not null,
    updated_at     timestamptz not null,
    finished_at    timestamptz,
    primary key (tenant_id, id),
    constraint checkout_state_known check (state in ('running', 'completed', 'failed')),
    constraint checkout_phase_known check (phase in ('charge', 'confirm', 'order', 'done')),
    constraint checkout_finished_once check ((state = 'running') = (finished_at is null)),
    constraint checkout_failed_why check ((state = 'failed') = (failure is not null))
) with (fillfactor = 70);
create index checkout_running on checkout.checkout (tenant_id, lease_until) where state = 'running';
create index checkout_running_owner on checkout.checkout (tenant_id, owner) where state = 'running';
create index checkout_finished on checkout.checkout (tenant_id, finished_at) where finished_at is not null;
select db.protect('checkout.checkout');

-- A checkout as the program hands it over (docs/adr/0022-rows-as-parameters.md). A type never changes.
create type checkout.new_checkout as (
    id uuid,
    owner text,
    shop_id uuid,
    reservation_id uuid,
    payment_id uuid,
    order_id uuid,
    sale_id uuid,
    provider text,
    method text,
    total bigint,
    plan jsonb,
    ship_to jsonb,
    note text,
    steps jsonb
);
