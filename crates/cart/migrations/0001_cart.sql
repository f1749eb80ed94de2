-- What people are about to buy. Short-lived: a cart that nobody touches for a day is gone.
create schema cart;

-- One cart per buyer. The lines are one document: they are read and changed together, and no more than 500.
create table cart.cart (
    tenant_id   uuid        not null,
    -- `cus_..`, `gst_..` or `mem_..`
    owner       text        not null,
    -- [[sku, thousandths of a unit, price of one in minor units when it was added, name]]
    lines       jsonb       not null,
    -- The checkout that is under way with it: until it ends the cart stays as it is.
    checkout_id uuid,
    version     integer     not null,
    created_at  timestamptz not null,
    updated_at  timestamptz not null,
    expires_at  timestamptz not null,
    primary key (tenant_id, owner),
    constraint cart_lines_are_a_list check (jsonb_typeof(lines) = 'array')
) with (fillfactor = 70);
select db.protect('cart.cart');
