-- Lines belong to the time and shop of their sale.
-- $1 tenant, $2 from, $3 to, $4 shop or null, $5 sku to start after or null, $6 limit
select sku as key, name, receipts, quantity::bigint, net::bigint, vat::bigint, gross::bigint, discount::bigint
from (
    select sale_line.sku,
           max(sale_line.name) as name, count(distinct sale.id) as receipts, sum(sale_line.quantity) as quantity,
           sum(sale_line.net) as net, sum(sale_line.vat) as vat, sum(sale_line.gross) as gross,
           sum(sale_line.discount) as discount
    from sales.sale
    join sales.sale_line on sale_line.tenant_id = $1 and sale_line.sale_id = sale.id
    where sale.tenant_id = $1 and sale.occurred_at >= $2 and sale.occurred_at < $3
      and ($4::uuid is null or sale.shop_id = $4)
      and ($5::text is null or sale_line.sku > $5)
    group by sale_line.sku
    order by sale_line.sku
    limit $6
) as by_product
order by key
