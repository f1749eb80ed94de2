select
    sku, name, category, price, tax_category, barcode, unit, active, description, weight_grams, attributes
from catalog.product
where tenant_id = $1 and sku > $2
order by sku
limit $3
