select
    p.id, p.sku, p.name, p.description, p.price, p.tax_category, p.category, p.barcode, p.unit, p.weight_grams, p.attributes,
    p.active, p.parent_id, p.options, p.option_values, p.images,
    p.version, p.created_at, p.updated_at,
    found.key_number, found.key_text
from
    catalog.search_products($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) with ordinality
        as found (product_id, key_number, key_text, place)
inner join catalog.product as p on p.tenant_id = $1 and p.id = found.product_id
order by found.place
