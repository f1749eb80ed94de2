-- A family is not sold itself, and its variants only while it is active.
select
    p.id, p.sku, p.name, p.category, p.price, p.tax_category,
    p.active
    and p.options is null
    and (
        p.parent_id is null
        or exists (
            select from catalog.product as parent
            where parent.tenant_id = p.tenant_id and parent.id = p.parent_id and parent.active
        )
    ) as active
from catalog.product as p
where p.tenant_id = $1 and p.sku = any($2)
