select id, shop_id, code, name, receipt_prefix, created_at
from sales.register
where tenant_id = $1 and id = $2
