update control.membership
set role = $3, status = $4, generation = generation + 1, version = version + 1, updated_at = $5
where tenant_id = $1 and account_id = $2
