-- Who buys. Personal data lives in this schema only; everybody else keeps the id.
create schema customers;

create table customers.customer (
    tenant_id  uuid        not null,
    id         uuid        not null,
    -- The merchant's own key, if there is one.
    reference  text,
    name       text        not null,
    email      text,
    phone      text,
    note       text        not null,
    active     boolean     not null,
    version    integer     not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    constraint customer_reference_unique unique (tenant_id, reference)
);
select db.protect('customers.customer');
