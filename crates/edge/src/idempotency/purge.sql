delete from edge.idempotency
where tenant_id = $1 and key_hash in (
    select old.key_hash
    from edge.idempotency as old
    where old.tenant_id = $1 and old.created_at < $2
    limit $3
)
