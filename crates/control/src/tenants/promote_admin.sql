update control.membership
set role = $3, version = version + 1, generation = generation + 1, updated_at = $4
where tenant_id = $1 and account_id = $2 and role <> $3
