select 'order ' || max(number), 'the counter stands at ' || coalesce(max(counter.last_number)::text, 'nothing')
from orders.customer_order
left join orders.counter on counter.tenant_id = $1
where customer_order.tenant_id = $1
having max(number) > coalesce(max(counter.last_number), 0)
