-- $1 tenant, $2 entries, $3 and $4 place and hash of the last one
with appended as (
    insert into audit.entry (
        tenant_id, seq, at, actor, operation, method, subject, status, address, agent, correlation_id, duration_us,
        request, response, hash
    )
    select
        $1, seq, at, actor, operation, method, subject, status, address, agent, correlation_id, duration_us,
        request, response, hash
    from unnest($2::audit.new_entry[])
)
update audit.head
set last_seq = $3, last_hash = $4
where tenant_id = $1
