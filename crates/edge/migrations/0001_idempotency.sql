create schema edge;

-- Answers of requests that carried an Idempotency-Key; written in the transaction of the effect itself.
create table edge.idempotency (
    tenant_id uuid not null,
    -- 128 bits of sha256(caller, operation, key)
    key_hash uuid not null,
    -- 128 bits of sha256(path, query, body)
    fingerprint uuid not null,
    status smallint not null check (status between 200 and 299),
    -- what was created, for callers that write the answer again from the resource instead of storing it
    resource uuid,
    location text check (length(location) <= 500),
    etag text check (length(etag) <= 130),
    body bytea,
    created_at timestamptz not null default now(),
    primary key (tenant_id, key_hash)
);

-- For the purge: rows arrive in the order of time, so a block range index finds old ones and costs writers nothing.
create index idempotency_created_at on edge.idempotency using brin (created_at) with (pages_per_range = 32, autosummarize = on);

select db.protect('edge.idempotency');
