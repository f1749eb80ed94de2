-- $1 tenant, $2 from, $3 to, $4 shop or null, $5 period to start after or null, $6 limit, $7 begins of periods
select lpad(period::text, 6, '0') as key, null::text as name, receipts, null::bigint as quantity,
       net::bigint, vat::bigint, gross::bigint, discount::bigint
from (
    select width_bucket(occurred_at, $7::timestamptz[]) as period, count(*) as receipts,
           sum(net) as net, sum(vat) as vat, sum(gross) as gross, sum(discount) as discount
    from sales.sale
    where tenant_id = $1 and occurred_at >= $2 and occurred_at < $3 and ($4::uuid is null or shop_id = $4)
    group by period
) as by_period
where $5::integer is null or period > $5
order by period
limit $6
