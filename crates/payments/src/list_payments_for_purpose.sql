-- $1 tenant, $2 state, $3 provider, $4 from, $5 to, $6 and $7 created and id of the last one shown, $8 limit, $9 purpose
select id, provider, method, amount, currency, state, provider_ref, action, failure_code, failure_detail, purpose,
       owner, opened_by, captured, refunded, refunding, next_check_at, created_at, updated_at, settled_at
from payments.payment
where tenant_id = $1 and purpose = $9 and (created_at, id) < ($6::timestamptz, $7::uuid)
  and created_at >= $4 and created_at < $5
  and ($2::text is null or state = $2)
  and ($3::text is null or provider = $3)
order by created_at desc, id desc
limit $8
