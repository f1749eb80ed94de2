select sale_id, line, sku, name, category, quantity, unit_price, discount, net, vat, gross, vat_rate, original_line,
       restock
from sales.sale_line
where tenant_id = $1 and sale_id = any($2::uuid[])
order by sale_id, line
