-- Enters charges into the test provider's ledger, each key once. $1 tenant, $2 charges, $3 now
insert into payments.test_charge
    (tenant_id, id, method, amount, currency, state, refunded, created_at, updated_at)
select $1, id, method, amount, currency, state, 0, $3, $3
from unnest($2::payments.new_test_charge[])
on conflict (tenant_id, id) do nothing
