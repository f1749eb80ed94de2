select id, shop_id, code, name, receipt_prefix, created_at
from sales.register
where tenant_id = $1 and shop_id = $2 and ($3::text is null or code > $3)
order by code
limit $4
