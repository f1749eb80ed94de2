select register_id
from sales.receipt_counter
where tenant_id = $1 and register_id = $2 and open_shift_id = $3
for share
