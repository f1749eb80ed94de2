-- The subject and what is wrong with it. What was charged within the last hour and is not settled yet may still be.
-- $1 tenant, $2 now
select 'payment ' || id as subject,
       'the books say ' || coalesce(books.state, 'nothing') || ' ' || coalesce(books.captured, 0) || ' less '
           || coalesce(books.refunded, 0) || ', the test provider ' || coalesce(ledger.state, 'nothing') || ' '
           || coalesce(ledger.amount, 0) || ' less ' || coalesce(ledger.refunded, 0) as detail
from (
    select id, state, captured, refunded, refunding, currency
    from payments.payment
    where tenant_id = $1 and provider = 'test'
) as books
full join (
    select id, state, amount, refunded, currency, updated_at
    from payments.test_charge
    where tenant_id = $1
) as ledger using (id)
where (ledger.state = 'charged') is distinct from (books.state = 'succeeded')
       and (books.state = 'succeeded'
            or ledger.state = 'charged'
               and (books.state is null or books.state in ('failed', 'cancelled')
                    or ledger.updated_at < $2::timestamptz - interval '1 hour'))
   or books.state = 'succeeded'
       and (ledger.amount <> books.captured or ledger.currency <> books.currency
            or ledger.refunded not between books.refunded and books.refunded + books.refunding)
order by id
limit 1000
