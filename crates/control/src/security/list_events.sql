-- $1 tenant, $2 kind, $3 actor, $4 from, $5 to, $6 and $7 after (time, id), $8 limit
select id, occurred_at, kind, tenant_id, actor, address, agent, reason, subject, operation, correlation_id, times
from control.security_event
where ($1::uuid is null or tenant_id = $1)
  and ($2::text is null or kind = $2)
  and ($3::text is null or actor = $3)
  and ($4::timestamptz is null or occurred_at >= $4)
  and ($5::timestamptz is null or occurred_at < $5)
  and ($6::timestamptz is null or (occurred_at, id) < ($6, $7::uuid))
order by occurred_at desc, id desc
limit $8
