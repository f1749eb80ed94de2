-- $1 tenant, $2 from, $3 to, $4 shop or null
select min(occurred_at), max(occurred_at)
from sales.sale
where tenant_id = $1 and occurred_at >= $2 and occurred_at < $3 and ($4::uuid is null or shop_id = $4)
