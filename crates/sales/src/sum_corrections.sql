select line.original_line, -sum(line.quantity)::bigint as quantity
from sales.sale as made
join sales.sale_line as line on line.tenant_id = $1 and line.sale_id = made.id
where made.tenant_id = $1 and made.original_id = $2
group by line.original_line
