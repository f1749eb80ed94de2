-- Rows as the program hands them over, many as one array: a statement over one array of rows starts in a fraction of
-- the time that it takes over one array per column (docs/adr/0022-rows-as-parameters.md).
-- A type never changes, as older programs go on using it: another shape is another type.
create type sales.new_sale as (
    id uuid,
    kind text,
    channel text,
    shop_id uuid,
    register_id uuid,
    receipt_prefix text,
    cashier text,
    customer_id uuid,
    original_id uuid,
    reason text,
    prices_include_vat boolean,
    vat_rounding text,
    net bigint,
    vat bigint,
    gross bigint,
    discount bigint,
    cash_rounding bigint,
    change bigint,
    tenders jsonb,
    taxes jsonb,
    occurred_at timestamptz,
    in_shift boolean
);

create type sales.new_sale_line as (
    sale_id uuid,
    line int,
    sku text,
    name text,
    category text,
    quantity bigint,
    unit_price bigint,
    discount bigint,
    net bigint,
    vat bigint,
    gross bigint,
    vat_rate int,
    original_line int,
    restock boolean
);
