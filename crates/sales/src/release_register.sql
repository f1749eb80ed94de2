update sales.receipt_counter
set open_shift_id = null
where tenant_id = $1 and register_id = $2 and open_shift_id = $3
returning register_id
