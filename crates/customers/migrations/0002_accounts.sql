-- What customers do by themselves, what a merchant keeps about them, and their points.
alter table customers.customer add column tags text[] not null default '{}';
-- The customer who has everything of this one now; never somebody who was merged too.
alter table customers.customer add column merged_into uuid;

-- How a customer signs in. Apart from the profile, so that only signing in ever reads it.
create table customers.login (
    tenant_id   uuid        not null,
    customer_id uuid        not null,
    -- In lower case.
    email       text        not null,
    -- argon2id.
    password    text        not null,
    created_at  timestamptz not null,
    updated_at  timestamptz not null,
    primary key (tenant_id, customer_id),
    constraint login_email_unique unique (tenant_id, email),
    foreign key (tenant_id, customer_id) references customers.customer (tenant_id, id)
);
select db.protect('customers.login');

-- A sign-in that lives on through refresh tokens. It knows the newest one only: an older one that comes has been copied.
create table customers.session (
    tenant_id   uuid        not null,
    id          uuid        not null,
    customer_id uuid        not null,
    secret_hash bytea       not null,
    created_at  timestamptz not null,
    expires_at  timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, customer_id) references customers.customer (tenant_id, id)
);
create index session_customer on customers.session (tenant_id, customer_id);
create index session_expiry on customers.session (tenant_id, expires_at);
select db.protect('customers.session');

-- Failed sign-ins, by hashes of whom they are counted for.
create table customers.attempt (
    tenant_id    uuid        not null,
    subject      bytea       not null,
    failures     integer     not null,
    since        timestamptz not null,
    locked_until timestamptz,
    primary key (tenant_id, subject)
);
create index attempt_age on customers.attempt (tenant_id, since);
select db.protect('customers.attempt');

create table customers.address (
    tenant_id        uuid        not null,
    id               uuid        not null,
    customer_id      uuid        not null,
    label            text        not null,
    name             text        not null,
    company          text        not null,
    lines            text[]      not null,
    postal_code      text        not null,
    city             text        not null,
    region           text        not null,
    country          text        not null,
    phone            text,
    default_shipping boolean     not null,
    default_billing  boolean     not null,
    created_at       timestamptz not null,
    updated_at       timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, customer_id) references customers.customer (tenant_id, id)
);
create index address_customer on customers.address (tenant_id, customer_id, id);
create unique index address_one_default_shipping on customers.address (tenant_id, customer_id) where default_shipping;
create unique index address_one_default_billing on customers.address (tenant_id, customer_id) where default_billing;
select db.protect('customers.address');

-- What a customer has allowed and forbidden, and when: a proof, so it is never changed.
create table customers.consent (
    tenant_id   uuid        not null,
    id          uuid        not null,
    customer_id uuid        not null,
    purpose     text        not null,
    granted     boolean     not null,
    source      text        not null,
    recorded_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, customer_id) references customers.customer (tenant_id, id)
);
create index consent_customer on customers.consent (tenant_id, customer_id, id);
select db.protect_append_only('customers.consent');

-- No route changes notes. The table lets them go, because they are personal data.
create table customers.note (
    tenant_id   uuid        not null,
    id          uuid        not null,
    customer_id uuid        not null,
    author      text        not null,
    text        text        not null,
    created_at  timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, customer_id) references customers.customer (tenant_id, id)
);
create index note_customer on customers.note (tenant_id, customer_id, id);
select db.protect('customers.note');

-- How points are earned and what they are worth; one row per merchant that has ever said so.
create table customers.loyalty_rule (
    tenant_id       uuid        not null,
    active          boolean     not null,
    earn_points     bigint      not null,
    earn_per_amount bigint      not null,
    burn_points     bigint      not null,
    burn_amount     bigint      not null,
    expiry_months   integer,
    version         integer     not null,
    updated_at      timestamptz not null,
    -- Since when it has been active without a break; what was bought before earns nothing.
    active_since    timestamptz,
    -- The book of sales has been read up to this id.
    read_to         uuid        not null,
    primary key (tenant_id)
);
select db.protect('customers.loyalty_rule');

create table customers.loyalty_entry (
    tenant_id   uuid        not null,
    id          uuid        not null,
    customer_id uuid        not null,
    points      bigint      not null,
    reason      text        not null,
    reference   text        not null,
    -- What is taken back, of entries that take back.
    origin      text,
    -- What the points were earned with or are worth, in minor units.
    amount      bigint      not null,
    note        text        not null,
    author      text        not null,
    created_at  timestamptz not null,
    primary key (tenant_id, id),
    constraint loyalty_entry_once unique (tenant_id, customer_id, reason, reference),
    foreign key (tenant_id, customer_id) references customers.customer (tenant_id, id)
);
create index loyalty_entry_customer on customers.loyalty_entry (tenant_id, customer_id, id);
create index loyalty_entry_origin on customers.loyalty_entry (tenant_id, customer_id, origin) where origin is not null;
select db.protect_append_only('customers.loyalty_entry');

-- The sum of a customer's entries; whoever spends locks it.
create table customers.loyalty_balance (
    tenant_id   uuid   not null,
    customer_id uuid   not null,
    points      bigint not null,
    primary key (tenant_id, customer_id),
    foreign key (tenant_id, customer_id) references customers.customer (tenant_id, id)
);
select db.protect('customers.loyalty_balance');
