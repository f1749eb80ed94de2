-- Opens payments, each to be looked at after a minute if nobody settles it. Opening one again changes nothing.
-- $1 tenant, $2 payments, $3 now, $4 who
insert into payments.payment
    (tenant_id, id, provider, method, amount, currency, state, purpose, owner, opened_by, captured, refunded,
     refunding, next_check_at, attempts, version, created_at, updated_at)
select $1, id, provider, method, amount, currency, 'pending', purpose, owner, $4, 0, 0,
       0, $3::timestamptz + interval '1 minute', 0, 1, $3, $3
from unnest($2::payments.new_payment[])
on conflict (tenant_id, id) do nothing
