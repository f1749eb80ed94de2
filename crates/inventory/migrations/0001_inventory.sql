-- Shops and what stands on their shelves.
create schema inventory;

create table inventory.shop (
    tenant_id  uuid        not null,
    id         uuid        not null,
    code       text        not null,
    name       text        not null,
    kind       text        not null,
    address    text        not null default '',
    active     boolean     not null default true,
    version    integer     not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    constraint shop_code_unique unique (tenant_id, code),
    constraint shop_code_shape check (code ~ '^[A-Z0-9]{1,12}$'),
    constraint shop_kind_known check (kind in ('store', 'web'))
);
-- Imports name shops by code or by name.
create index shop_by_name on inventory.shop (tenant_id, name);
select db.protect('inventory.shop');

-- One row per SKU and shop, never deleted. Quantities in thousandths.
-- The key starts with the SKU, so that one index serves both the pair and "this SKU in every shop".
-- Room is left in each page: every sale updates rows in place (HOT) as no indexed column changes.
create table inventory.stock (
    tenant_id uuid    not null,
    sku       text    not null,
    shop_id   uuid    not null,
    on_hand   bigint  not null,
    reserved  bigint  not null,
    tracked   boolean not null,
    threshold bigint,
    primary key (tenant_id, sku, shop_id),
    foreign key (tenant_id, shop_id) references inventory.shop (tenant_id, id),
    constraint stock_reserved_not_negative check (reserved >= 0),
    constraint stock_within_bounds check (on_hand between -1000000000000000 and 1000000000000000)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
select db.protect('inventory.stock');

-- The book of stock: immutable, stock.on_hand is its sum. The time within `id` (UUIDv7) is `occurred_at`, so that
-- the indexes serve every listing in the order things happened.
create table inventory.movement (
    tenant_id   uuid        not null,
    id          uuid        not null,
    sku         text        not null,
    shop_id     uuid        not null,
    quantity    bigint      not null,
    reason      text        not null,
    reference   uuid,
    note        text,
    occurred_at timestamptz not null,
    created_at  timestamptz not null,
    primary key (tenant_id, id),
    constraint movement_quantity_not_zero check (quantity <> 0)
);
create index movement_by_sku on inventory.movement (tenant_id, sku, id);
-- For the few movements that are not sales; costs the till nothing.
create index movement_by_reason on inventory.movement (tenant_id, reason, id) where reason <> 'sale';
select db.protect_append_only('inventory.movement');

create table inventory.reservation (
    tenant_id  uuid        not null,
    id         uuid        not null,
    state      text        not null,
    reference  text,
    expires_at timestamptz not null,
    created_at timestamptz not null,
    closed_at  timestamptz,
    primary key (tenant_id, id),
    constraint reservation_state_known check (state in ('open', 'confirmed', 'released', 'expired')),
    constraint reservation_closed_once check ((state = 'open') = (closed_at is null))
);
create index reservation_open_by_expiry on inventory.reservation (tenant_id, expires_at) where state = 'open';
select db.protect('inventory.reservation');

create table inventory.reservation_line (
    tenant_id      uuid   not null,
    reservation_id uuid   not null,
    sku            text   not null,
    shop_id        uuid   not null,
    quantity       bigint not null,
    primary key (tenant_id, reservation_id, sku, shop_id),
    foreign key (tenant_id, reservation_id) references inventory.reservation (tenant_id, id),
    constraint reservation_line_positive check (quantity > 0)
);
select db.protect_append_only('inventory.reservation_line');
