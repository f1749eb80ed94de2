select cashier, count(*) as receipts, sum(gross)::bigint as gross
from sales.sale
where tenant_id = $1 and shift_id = $2
group by cashier
order by gross desc, cashier
limit 200
