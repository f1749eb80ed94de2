-- What customers have committed to buy, whatever channel it came from.
create schema orders;

-- The last order number of each tenant, apart because every order changes it.
create table orders.counter (
    tenant_id   uuid   not null,
    last_number bigint not null check (last_number >= 0),
    primary key (tenant_id)
) with (fillfactor = 50);
select db.protect('orders.counter');

-- One row per order; its lines are a snapshot that never changes, so they are one document.
create table orders.customer_order (
    tenant_id   uuid        not null,
    id          uuid        not null,
    number      bigint      not null,
    status      text        not null,
    channel     text        not null,
    -- `cus_..`, `gst_..` or `mem_..`
    owner       text        not null,
    shop_id     uuid        not null,
    checkout_id uuid,
    payment_id  uuid,
    sale_id     uuid        not null,
    net         bigint      not null,
    vat         bigint      not null,
    gross       bigint      not null,
    discount    bigint      not null,
    lines       jsonb       not null,
    ship_to     jsonb,
    note        text        not null,
    -- [{"status", "at", "by", "reason"}], oldest first
    history     jsonb       not null,
    version     integer     not null,
    created_at  timestamptz not null,
    updated_at  timestamptz not null,
    primary key (tenant_id, id),
    constraint order_status_known check (status in
        ('created', 'paid', 'failed', 'packed', 'shipped', 'delivered', 'cancelled', 'refunded')),
    constraint order_net_and_vat_make_gross check (net + vat = gross)
) with (fillfactor = 90);
create unique index order_number on orders.customer_order (tenant_id, number);
create index order_created on orders.customer_order (tenant_id, created_at, id);
create index order_owner on orders.customer_order (tenant_id, owner, created_at, id);
-- What still asks for work; the many that are done cost it nothing.
create index order_open on orders.customer_order (tenant_id, status, created_at, id)
    where status in ('created', 'paid', 'packed', 'shipped');
select db.protect('orders.customer_order');

-- An order as the program hands it over (docs/adr/0022-rows-as-parameters.md). A type never changes.
create type orders.new_order as (
    id uuid,
    status text,
    channel text,
    owner text,
    shop_id uuid,
    checkout_id uuid,
    payment_id uuid,
    sale_id uuid,
    net bigint,
    vat bigint,
    gross bigint,
    discount bigint,
    lines jsonb,
    ship_to jsonb,
    note text,
    history jsonb
);
