select
    id, sku, name, description, price, tax_category, category, barcode, unit, weight_grams, attributes, active,
    parent_id, options, option_values, images,
    version, created_at, updated_at
from catalog.product
where tenant_id = $1 and id = any($2)
