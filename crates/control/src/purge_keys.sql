delete from control.idempotency
where key_hash in (
    select key_hash
    from control.idempotency
    where created_at < $1
    order by created_at
    limit $2
)
