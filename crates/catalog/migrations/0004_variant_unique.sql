-- no-transaction
-- One variant for each combination of a parent's values; also the way to the variants of a parent.
create unique index concurrently product_variant_unique
on catalog.product (tenant_id, parent_id, option_values) where parent_id is not null;
