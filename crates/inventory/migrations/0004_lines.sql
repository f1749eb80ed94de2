-- contract: no program asks for the key. Lines are written by the statement that writes their reservation and neither is
-- ever deleted, so that it proved nothing, and cost each line a look-up and the reservation's row a lock.
alter table inventory.reservation_line drop constraint reservation_line_tenant_id_reservation_id_fkey;
