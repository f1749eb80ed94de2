-- Options and variants. A product with options is a family: its variants are sold, itself is not. A variant names its
-- parent for ever, and has one value for each of the parent's options.
--
-- No foreign key: products are never deleted, and a variant is written while its parent is locked.
alter table catalog.product
    add column parent_id uuid,
    -- [{"name": "Size", "values": ["S", "M"]}], in order; null for none.
    add column options jsonb,
    -- {"Size": "M"}; null for none.
    add column option_values jsonb;
