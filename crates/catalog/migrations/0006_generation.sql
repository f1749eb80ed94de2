-- What the catalog of a tenant is called until its next change: part of the names under which processes share what they
-- have read of it (docs/adr/0035-redis-for-reads-and-carts.md). Drawn by chance and never used again; no
-- row as long as nothing has changed.
create table catalog.generation (
    tenant_id uuid not null,
    token     uuid not null,
    primary key (tenant_id)
) with (fillfactor = 50);
select db.protect('catalog.generation');
