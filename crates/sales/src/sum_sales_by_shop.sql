-- $1 tenant, $2 from, $3 to, $4 shop or null, $5 shop to start after or null, $6 limit
select shop_id::text as key, null::text as name, receipts, null::bigint as quantity,
       net::bigint, vat::bigint, gross::bigint, discount::bigint
from (
    select shop_id, count(*) as receipts,
           sum(net) as net, sum(vat) as vat, sum(gross) as gross, sum(discount) as discount
    from sales.sale
    where tenant_id = $1 and occurred_at >= $2 and occurred_at < $3 and ($4::uuid is null or shop_id = $4)
    group by shop_id
) as by_shop
where $5::text is null or shop_id::text > $5
order by key
limit $6
