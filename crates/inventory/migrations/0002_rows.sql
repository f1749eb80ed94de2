-- Movements as the program hands them over (docs/adr/0022-rows-as-parameters.md).
-- A type never changes, as older programs go on using it: another shape is another type.
create type inventory.new_movement as (
    id uuid,
    shop_id uuid,
    sku text,
    quantity bigint,
    reason text,
    reference uuid,
    note text,
    occurred_at timestamptz,
    -- Makes the shelf tracked.
    counts boolean
);
