select id, sku, name, category, price, tax_category, active
from catalog.product
where tenant_id = $1 and sku = any($2)
