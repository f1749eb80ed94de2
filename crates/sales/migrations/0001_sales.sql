-- Registers, shifts and the book of record.
create schema sales;
grant usage on schema sales to markethall_app;

-- One till in a shop. The receipt prefix never changes: it is printed on paper.
create table sales.register (
    tenant_id uuid not null,
    id uuid not null,
    shop_id uuid not null,
    code text not null check (code ~ '^[A-Z0-9]{1,8}$'),
    name text not null,
    receipt_prefix text not null,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    constraint register_code_unique unique (tenant_id, shop_id, code),
    constraint register_prefix_unique unique (tenant_id, receipt_prefix)
);
select db.protect('sales.register');

-- The last receipt number of a register and its open shift, apart from the register because every sale changes it.
-- A sale and the close of a shift meet at the lock on this row.
create table sales.receipt_counter (
    tenant_id uuid not null,
    register_id uuid not null,
    last_number bigint not null check (last_number >= 0),
    open_shift_id uuid,
    primary key (tenant_id, register_id)
) with (fillfactor = 50);
select db.protect('sales.receipt_counter');

create table sales.shift (
    tenant_id uuid not null,
    id uuid not null,
    register_id uuid not null,
    opened_at timestamptz not null,
    opened_by text not null,
    opening_float bigint not null check (opening_float >= 0),
    closed_at timestamptz,
    closed_by text,
    counted_cash bigint check (counted_cash >= 0),
    z_number bigint,
    report jsonb,
    primary key (tenant_id, id),
    foreign key (tenant_id, register_id) references sales.register (tenant_id, id),
    constraint closed_shifts_are_complete check (
        (closed_at is null) = (report is null) and (closed_at is null) = (counted_cash is null)
    )
);
create unique index shift_open_once on sales.shift (tenant_id, register_id) where closed_at is null;
create unique index shift_z_number on sales.shift (tenant_id, register_id, z_number);
select db.protect('sales.shift');

create function sales.refuse_closed_shift_change() returns trigger language plpgsql as $$
begin
    if old.closed_at is not null then
        raise exception 'shift_is_closed';
    end if;
    return coalesce(new, old);
end
$$;
create trigger closed_shifts_stay before update or delete on sales.shift
    for each row execute function sales.refuse_closed_shift_change();

-- Cash put into or taken out of the drawer for other reasons than a sale.
create table sales.cash_movement (
    tenant_id uuid not null,
    id uuid not null,
    shift_id uuid not null,
    kind text not null check (kind in ('pay_in', 'pay_out')),
    amount bigint not null check (amount > 0),
    reason text not null,
    actor text not null,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, shift_id) references sales.shift (tenant_id, id)
);
create index cash_movement_shift on sales.cash_movement (tenant_id, shift_id);
select db.protect_append_only('sales.cash_movement');

-- The book of record: never changed, only added to. Voids and refunds are rows of their own that point back.
-- No foreign keys on the hot tables: `markethall check` proves what they would.
create table sales.sale (
    tenant_id uuid not null,
    id uuid not null,
    kind text not null check (kind in ('sale', 'void', 'refund')),
    channel text not null check (channel in ('till', 'web', 'chat', 'api', 'event')),
    shop_id uuid not null,
    register_id uuid not null,
    shift_id uuid,
    receipt_prefix text not null,
    receipt_seq bigint not null,
    cashier text not null,
    customer_id uuid,
    original_id uuid,
    reason text,
    prices_include_vat boolean not null,
    vat_rounding text not null,
    net bigint not null,
    vat bigint not null,
    gross bigint not null,
    discount bigint not null,
    cash_rounding bigint not null,
    change bigint not null,
    tenders jsonb not null,
    taxes jsonb not null,
    occurred_at timestamptz not null,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    constraint net_and_vat_make_gross check (net + vat = gross),
    constraint corrections_point_back check ((kind = 'sale') = (original_id is null))
);
create unique index sale_receipt on sales.sale (tenant_id, register_id, receipt_seq);
create index sale_occurred on sales.sale (tenant_id, occurred_at, id);
create index sale_shop on sales.sale (tenant_id, shop_id, occurred_at, id);
create index sale_customer on sales.sale (tenant_id, customer_id, occurred_at, id) where customer_id is not null;
create index sale_shift on sales.sale (tenant_id, shift_id) where shift_id is not null;
create index sale_original on sales.sale (tenant_id, original_id) where original_id is not null;
create unique index sale_void_once on sales.sale (tenant_id, original_id) where kind = 'void';
select db.protect_append_only('sales.sale');

create table sales.sale_line (
    tenant_id uuid not null,
    sale_id uuid not null,
    line int not null,
    sku text not null,
    name text not null,
    category text not null,
    quantity bigint not null,
    unit_price bigint not null,
    discount bigint not null,
    net bigint not null,
    vat bigint not null,
    gross bigint not null,
    vat_rate int not null,
    original_line int,
    restock boolean,
    primary key (tenant_id, sale_id, line),
    constraint line_net_and_vat_make_gross check (net + vat = gross)
);
select db.protect_append_only('sales.sale_line');

-- Which history has been imported: the same external id is taken once.
create table sales.imported_sale (
    tenant_id uuid not null,
    external_id text not null,
    sale_id uuid not null,
    fingerprint uuid not null,
    primary key (tenant_id, external_id),
    constraint imported_sale_once unique (tenant_id, sale_id)
);
select db.protect_append_only('sales.imported_sale');
