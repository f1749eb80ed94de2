-- $1 tenant, $2 from, $3 to, $4 shop or null
select '' as key, null::text as name, count(*) as receipts, null::bigint as quantity,
       coalesce(sum(net), 0)::bigint as net, coalesce(sum(vat), 0)::bigint as vat,
       coalesce(sum(gross), 0)::bigint as gross, coalesce(sum(discount), 0)::bigint as discount
from sales.sale
where tenant_id = $1 and occurred_at >= $2 and occurred_at < $3 and ($4::uuid is null or shop_id = $4)
