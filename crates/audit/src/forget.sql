-- $1 tenant, $2 before, $3 limit. Only from the beginning of the chain, up to the first entry that is young enough.
with oldest as (
    select entry.seq, entry.at, entry.hash
    from audit.head
    join audit.entry on entry.tenant_id = head.tenant_id and entry.seq >= head.first_seq
    where head.tenant_id = $1
    order by entry.seq
    limit $3
),
expired as (
    select seq, hash
    from oldest
    where seq < coalesce((select min(seq) from oldest where at >= $2), (select max(seq) + 1 from oldest))
),
forgotten as (
    delete from audit.entry
    using expired
    where entry.tenant_id = $1 and entry.seq = expired.seq
    returning entry.seq
),
moved as (
    update audit.head
    set first_seq = last.seq + 1, first_hash = last.hash
    from (select seq, hash from expired order by seq desc limit 1) as last
    where head.tenant_id = $1
)
select count(*) from forgotten
