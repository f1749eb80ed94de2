-- Gives money back out of a charge, each key once and never more than was charged.
-- $1 tenant, $2 key, $3 key of the charge, $4 amount, $5 currency, $6 now
with charge as materialized (
    select id
    from payments.test_charge
    where tenant_id = $1 and id = $3 and currency = $5 and state = 'charged' and refunded + $4 <= amount
    for no key update
),
given as (
    insert into payments.test_refund (tenant_id, id, charge_id, amount, created_at)
    select $1, $2, charge.id, $4, $6
    from charge
    on conflict (tenant_id, id) do nothing
    returning charge_id, amount
)
update payments.test_charge
set refunded = test_charge.refunded + given.amount
from given
where test_charge.tenant_id = $1 and test_charge.id = given.charge_id
