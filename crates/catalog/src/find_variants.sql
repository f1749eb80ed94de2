select id, sku, price, barcode, active, option_values, version
from catalog.product
where tenant_id = $1 and parent_id = $2
order by sku
limit $3
