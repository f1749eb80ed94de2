-- Images of products. What products show stands in `product.images`; this table tells which files there are, so that
-- one that no product shows is found without asking the store of files (docs/adr/0026-images.md).
create table catalog.image (
    tenant_id  uuid        not null,
    id         uuid        not null,
    product_id uuid        not null,
    -- Whether the product shows it. One that is not shown is being uploaded, or to be removed.
    shown      boolean     not null,
    created_at timestamptz not null,
    primary key (tenant_id, id)
);
create index image_not_shown on catalog.image (tenant_id, created_at) where not shown;
select db.protect('catalog.image');

alter table catalog.product
    -- [{"id": "img_..", "alt": "..", "width": 800, "height": 600, "mediaType": "image/png", "bytes": 12345}], in the
    -- order in which they are shown; null for none.
    add column images jsonb;
