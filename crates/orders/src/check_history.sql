select 'order ' || number, 'it is ' || status || ', its history ends with ' || coalesce(history -> -1 ->> 'status', 'nothing')
from orders.customer_order
where tenant_id = $1 and history -> -1 ->> 'status' is distinct from status
order by number
limit 100
