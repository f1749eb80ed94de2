select sale.shop_id, line.sku, sum(line.quantity)::bigint as units
from sales.sale
join sales.sale_line as line on line.tenant_id = $1 and line.sale_id = sale.id
where sale.tenant_id = $1 and line.restock is distinct from false
group by sale.shop_id, line.sku
having sum(line.quantity) <> 0
order by sale.shop_id, line.sku
