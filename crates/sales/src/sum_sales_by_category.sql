-- A path is cut to its first $7 parts, so that Food/Bread/Rye counts as Food/Bread or as Food.
-- $1 tenant, $2 from, $3 to, $4 shop or null, $5 path to start after or null, $6 limit, $7 levels or null for all
select path as key, null::text as name, receipts, quantity::bigint, net::bigint, vat::bigint, gross::bigint,
       discount::bigint
from (
    select case when $7::integer is null then sale_line.category
                else array_to_string((string_to_array(sale_line.category, '/'))[:$7], '/') end as path,
           count(distinct sale.id) as receipts, sum(sale_line.quantity) as quantity,
           sum(sale_line.net) as net, sum(sale_line.vat) as vat, sum(sale_line.gross) as gross,
           sum(sale_line.discount) as discount
    from sales.sale
    join sales.sale_line on sale_line.tenant_id = $1 and sale_line.sale_id = sale.id
    where sale.tenant_id = $1 and sale.occurred_at >= $2 and sale.occurred_at < $3
      and ($4::uuid is null or sale.shop_id = $4)
    group by path
) as by_category
where $5::text is null or path > $5
order by path
limit $6
