-- Only rows of the version that the change was made from; SKU and parent never change.
update catalog.product as t
set
    name = p.name,
    name_key = p.name_key,
    description = p.description,
    price = p.price,
    tax_category = p.tax_category,
    category = p.category,
    barcode = p.barcode,
    unit = p.unit,
    weight_grams = p.weight_grams,
    attributes = p.attributes::jsonb,
    active = p.active,
    options = p.options::jsonb,
    option_values = p.option_values::jsonb,
    images = p.images::jsonb,
    version = t.version + 1,
    search = p.search::tsvector,
    updated_at = greatest($2::timestamptz, t.updated_at)
from
    unnest(
        $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[], $10::text[], $11::text[],
        $12::text[], $13::integer[], $14::text[], $15::boolean[], $16::text[],
        $17::uuid[], $18::text[], $19::text[], $20::integer[], $21::text[]
    ) as p (
        id, sku, name, name_key, description, price, tax_category, category, barcode, unit, weight_grams, attributes,
        active, search, parent_id, options, option_values, version, images
    )
where t.tenant_id = $1 and t.id = p.id and t.version = p.version
returning t.id
