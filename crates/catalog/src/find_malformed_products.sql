select
    p.sku,
    case
        when p.price < 0 then 'the price is below zero'
        when p.category <> '' and p.category !~ '^[^/]+(/[^/]+){0,5}$' then 'the category is no path'
        when p.barcode !~ '^([0-9]{8}|[0-9]{12,14})$' then 'the barcode has another form'
        when not exists (
            select from catalog.tax_rate as r where r.tenant_id = p.tenant_id and r.category = p.tax_category
        ) then 'the tax category has no rate'
        when p.version < 1 or p.updated_at < p.created_at then 'version or times are impossible'
        when p.search = ''::tsvector then 'it cannot be found'
    end as fault
from catalog.product as p
where
    p.tenant_id = $1
    and (
        p.price < 0
        or (p.category <> '' and p.category !~ '^[^/]+(/[^/]+){0,5}$')
        or p.barcode !~ '^([0-9]{8}|[0-9]{12,14})$'
        or p.tax_category not in (select r.category from catalog.tax_rate as r where r.tenant_id = $1)
        or p.version < 1
        or p.updated_at < p.created_at
        or p.search = ''::tsvector
    )
order by p.sku
limit 100
