-- What the test provider's ledger says about a time, by currency, and about how many of the payments that were settled
-- or charged within it the books disagree. $1 tenant, $2 from, $3 to
select currency, sum(charged)::bigint, sum(charged_amount)::bigint, sum(refunded)::bigint,
       sum(refunded_amount)::bigint, sum(differences)::bigint
from (
    select currency, 1 as charged, amount as charged_amount, 0 as refunded, 0 as refunded_amount, 0 as differences
    from payments.test_charge
    where tenant_id = $1 and state = 'charged' and updated_at >= $2 and updated_at < $3
    union all
    select charge.currency, 0, 0, 1, refund.amount, 0
    from payments.test_refund as refund
    join payments.test_charge as charge on charge.tenant_id = $1 and charge.id = refund.charge_id
    where refund.tenant_id = $1 and refund.created_at >= $2 and refund.created_at < $3
    union all
    select currency, 0, 0, 0, 0, 1
    from (
        select coalesce(books.currency, ledger.currency) as currency
        from (
            select id from payments.payment
            where tenant_id = $1 and provider = 'test' and settled_at >= $2 and settled_at < $3
            union
            select id from payments.test_charge
            where tenant_id = $1 and state = 'charged' and updated_at >= $2 and updated_at < $3
        ) as touched
        left join payments.payment as books on books.tenant_id = $1 and books.id = touched.id
        left join payments.test_charge as ledger
            on ledger.tenant_id = $1 and ledger.id = touched.id and ledger.state = 'charged'
        where coalesce(books.captured, 0) <> coalesce(ledger.amount, 0)
    ) as difference
) as event
group by currency
order by currency
limit 1000
