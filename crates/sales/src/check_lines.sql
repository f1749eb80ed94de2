with summed as (
    select sale_id, sum(net) as net, sum(vat) as vat, sum(gross) as gross, sum(discount) as discount,
           count(*) as lines, max(line) as last, min(line) as first
    from sales.sale_line
    where tenant_id = $1
    group by sale_id
)
select coalesce(sale.id, summed.sale_id)::text as subject,
       format('sale says net %s vat %s gross %s discount %s, its %s lines say %s %s %s %s',
              sale.net, sale.vat, sale.gross, sale.discount, summed.lines, summed.net, summed.vat, summed.gross,
              summed.discount) as detail
from (select id, net, vat, gross, discount from sales.sale where tenant_id = $1) as sale
full join summed on summed.sale_id = sale.id
where sale.id is null or summed.sale_id is null
   or sale.net <> summed.net or sale.vat <> summed.vat or sale.gross <> summed.gross
   or sale.discount <> summed.discount or summed.first <> 1 or summed.last <> summed.lines
limit $2
