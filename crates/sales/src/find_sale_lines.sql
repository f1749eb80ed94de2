-- $1 tenant, $2 sales in their order, $3 lines at most
select line.sale_id, line.line, line.sku, line.name, line.category, line.quantity, line.unit_price, line.discount,
       line.net, line.vat, line.gross, line.vat_rate, line.original_line, line.restock
from unnest($2::uuid[]) with ordinality as wanted (sale_id, place)
join sales.sale_line as line on line.tenant_id = $1 and line.sale_id = wanted.sale_id
order by wanted.place, line.line
limit $3
