with paid as (
    select sale.id, sale.gross + sale.cash_rounding as due, sale.change,
           coalesce((select sum((tender ->> 1)::bigint) from jsonb_array_elements(sale.tenders) as tender), 0) as given
    from sales.sale
    where tenant_id = $1
)
select id::text as subject, format('%s was due, %s given, %s change', due, given, change) as detail
from paid
where given - change <> due
limit $2
