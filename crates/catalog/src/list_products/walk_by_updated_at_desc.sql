select
    id, sku, name, description, price, tax_category, category, barcode, unit, weight_grams, attributes, active,
    parent_id, options, option_values, images,
    version, created_at, updated_at,
    0::bigint as key_number, '' as key_text
from catalog.product
where
    tenant_id = $1
    and (updated_at, id) < ($2, $3)
    and ($4::tsquery is null or search @@ $4)
    and ($5::boolean is null or active = $5)
    and ($6::bigint is null or price >= $6)
    and ($7::bigint is null or price <= $7)
    and ($8::text is null or (lower(sku) <> $8 and barcode is distinct from $8))
order by updated_at desc, id desc
limit $9
