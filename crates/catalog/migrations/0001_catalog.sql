-- What a merchant sells, and at which tax rates.
create schema catalog;

-- One row per SKU, never deleted: sales name it. Prices in minor units of the tenant's currency.
create table catalog.product (
    tenant_id    uuid        not null,
    id           uuid        not null,
    sku          text        not null,
    name         text        not null,
    -- The name folded (lower case, no accents): the order in which people look for it.
    name_key     text        not null,
    description  text        not null,
    price        bigint      not null,
    tax_category text        not null,
    -- A path `Food/Bread`; empty for none.
    category     text        not null,
    barcode      text,
    unit         text        not null,
    weight_grams integer,
    attributes   jsonb       not null,
    active       boolean     not null,
    version      integer     not null,
    -- What the product is found by, each lexeme behind four characters of the tenant. Words: weight A of the name,
    -- B attributes, C description, D category. Filters, without weight: `c=` the category and those above it,
    -- `a=` attributes, `s=` SKU, `b=` barcode, `x=inactive`. Made by the program (terms.rs), never by hand.
    search       tsvector    not null,
    created_at   timestamptz not null,
    updated_at   timestamptz not null,
    primary key (tenant_id, id),
    constraint product_sku_unique unique (tenant_id, sku),
    constraint product_price_within_bounds check (price between 0 and 1000000000000000),
    constraint product_weight_within_bounds check (weight_grams between 0 and 100000000),
    constraint product_attributes_are_an_object check (jsonb_typeof(attributes) = 'object')
);
create index product_by_name on catalog.product (tenant_id, name_key, id);
create index product_by_price on catalog.product (tenant_id, price, id);
create index product_by_updated_at on catalog.product (tenant_id, updated_at, id);
-- The list of entries not yet sorted in is kept short (kB): every search reads it, every import profits from it.
create index product_by_search on catalog.product using gin (search) with (gin_pending_list_limit = 256);
select db.protect('catalog.product');

-- How many products hold a term: the vocabulary for prefixes and typing errors (kind w), the category tree (c), and
-- what tells a search whether it is broad or narrow (all kinds). Changed with the products, in one transaction.
create table catalog.term (
    tenant_id uuid   not null,
    -- w word, c category, a attribute, x `inactive`, n `products`.
    kind      "char" not null,
    term      text   not null,
    products  bigint not null,
    active    bigint not null,
    primary key (tenant_id, kind, term)
) with (fillfactor = 60);
create index term_by_trigram on catalog.term using gin (tenant_id, term public.gin_trgm_ops)
    with (gin_pending_list_limit = 64) where kind = 'w';
select db.protect('catalog.term');

-- Periods of one category do not overlap; `valid_to` is exclusive, null for open.
create table catalog.tax_rate (
    tenant_id  uuid        not null,
    category   text        not null,
    valid_from timestamptz not null,
    valid_to   timestamptz,
    rate       integer     not null,
    primary key (tenant_id, category, valid_from),
    constraint tax_rate_within_bounds check (rate between 0 and 10000),
    constraint tax_rate_period_runs_forward check (valid_to > valid_from)
);
select db.protect('catalog.tax_rate');

-- Files taken over HTTP. `line_done`: rows up to this line are in the catalog; a stopped import goes on behind it.
create table catalog.import_run (
    tenant_id   uuid        not null,
    id          uuid        not null,
    status      text        not null,
    bytes       bigint      not null,
    bytes_done  bigint      not null,
    line_done   bigint      not null,
    created     bigint      not null,
    updated     bigint      not null,
    unchanged   bigint      not null,
    rejected    bigint      not null,
    failure     text,
    -- Who works on it, until when; whoever finds the time passed may take over.
    worker      uuid,
    leased_until timestamptz,
    created_at  timestamptz not null,
    updated_at  timestamptz not null,
    primary key (tenant_id, id),
    constraint import_run_status_known check (status in ('queued', 'running', 'done', 'failed'))
);
create index import_run_unfinished on catalog.import_run (tenant_id, created_at)
    where status in ('queued', 'running');
select db.protect('catalog.import_run');
