delete from edge.idempotency
where tenant_id = $1 and key_hash = any($2::uuid[])
