-- $1 tenant, $2 actor, $3 operation, $4 path begins with (escaped, with %), $5 from, $6 to, $7 before this place, $8 limit
select
    seq, at, actor, operation, method, subject, status, address, agent, correlation_id, duration_us,
    null::bytea as request, null::bytea as response
from audit.entry
where tenant_id = $1
  and ($2::text is null or actor = $2)
  and ($3::text is null or operation = $3)
  and ($4::text is null or subject like $4)
  and ($5::timestamptz is null or at >= $5)
  and ($6::timestamptz is null or at < $6)
  and ($7::bigint is null or seq < $7)
order by seq desc
limit $8
