select 'order ' || number, 'the lines come to ' || lines.gross || ', the order to ' || customer_order.gross
from orders.customer_order
cross join lateral (
    select coalesce(sum((line ->> 'gross')::bigint), 0) as gross, coalesce(sum((line ->> 'vat')::bigint), 0) as vat
    from jsonb_array_elements(customer_order.lines) as line
) as lines
where tenant_id = $1 and (lines.gross <> customer_order.gross or lines.vat <> customer_order.vat)
order by number
limit 100
