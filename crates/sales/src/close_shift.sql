update sales.shift
set closed_at = $3, closed_by = $4, counted_cash = $5, z_number = $6, report = $7
where tenant_id = $1 and id = $2
