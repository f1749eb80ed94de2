-- No row when a shift is open.
insert into sales.receipt_counter as counter (tenant_id, register_id, last_number, open_shift_id)
values ($1, $2, 0, $3)
on conflict (tenant_id, register_id) do update
set open_shift_id = excluded.open_shift_id
where counter.open_shift_id is null
returning register_id
