select (tax ->> 0)::int as rate, sum((tax ->> 1)::bigint)::bigint as net, sum((tax ->> 2)::bigint)::bigint as vat
from sales.sale
cross join jsonb_array_elements(taxes) as tax
where tenant_id = $1 and shift_id = $2
group by 1
order by 1
