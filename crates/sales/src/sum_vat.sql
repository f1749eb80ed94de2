-- $1 tenant, $2 from, $3 to, $4 shop or null, $5 begins of periods, $6 limit
select width_bucket(sale.occurred_at, $5::timestamptz[]) as period, sale_line.vat_rate,
       sum(sale_line.net)::bigint as net, sum(sale_line.vat)::bigint as vat, sum(sale_line.gross)::bigint as gross
from sales.sale
join sales.sale_line on sale_line.tenant_id = $1 and sale_line.sale_id = sale.id
where sale.tenant_id = $1 and sale.occurred_at >= $2 and sale.occurred_at < $3
  and ($4::uuid is null or sale.shop_id = $4)
group by period, sale_line.vat_rate
order by period, sale_line.vat_rate
limit $6
