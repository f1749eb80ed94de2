select tender ->> 0 as method, sum((tender ->> 1)::bigint)::bigint as amount
from sales.sale
cross join jsonb_array_elements(tenders) as tender
where tenant_id = $1 and shift_id = $2
group by 1
order by 1
