-- In the order of SKUs, so that two imports of the same products never deadlock.
insert into catalog.product (
    tenant_id, id, sku, name, name_key, description, price, tax_category, category, barcode, unit, weight_grams,
    attributes, active, parent_id, options, option_values, version, search, created_at, updated_at
)
select
    $1, p.id, p.sku, p.name, p.name_key, p.description, p.price, p.tax_category, p.category, p.barcode, p.unit,
    p.weight_grams, p.attributes::jsonb, p.active, p.parent_id, p.options::jsonb, p.option_values::jsonb, 1, p.search::tsvector, $2::timestamptz, $2::timestamptz
from
    unnest(
        $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[], $10::text[], $11::text[],
        $12::text[], $13::integer[], $14::text[], $15::boolean[], $16::text[],
        $17::uuid[], $18::text[], $19::text[]
    ) as p (
        id, sku, name, name_key, description, price, tax_category, category, barcode, unit, weight_grams, attributes,
        active, search, parent_id, options, option_values
    )
order by p.sku
on conflict (tenant_id, sku) do nothing
returning id
