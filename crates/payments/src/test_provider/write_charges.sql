-- Enters charges into the test provider's ledger, each key once, and returns what is there: the update changes nothing and
-- waits for whoever enters the same key. $1 tenant, $2 charges, $3 now
insert into payments.test_charge
    (tenant_id, id, method, amount, currency, state, refunded, created_at, updated_at)
select $1, id, method, amount, currency, state, 0, $3, $3
from unnest($2::payments.new_test_charge[])
order by id
on conflict (tenant_id, id) do update set updated_at = test_charge.updated_at
returning id, method, amount, currency, state
