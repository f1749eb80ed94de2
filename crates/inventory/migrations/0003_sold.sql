-- The sale that took the units of a confirmed reservation; null where they left by the confirmation itself.
alter table inventory.reservation add column sale_id uuid;
