-- Variants whose parent is not there, is a variant itself, or has other options.
select
    v.sku,
    case
        when p.id is null then 'its parent is not there'
        when p.parent_id is not null then 'its parent is a variant itself'
        when v.options is not null then 'it has options of its own'
        else 'its values are not among the options of its parent'
    end as fault
from catalog.product as v
left join catalog.product as p on p.tenant_id = v.tenant_id and p.id = v.parent_id
where
    v.tenant_id = $1
    and v.parent_id is not null
    and (
        p.id is null
        or p.parent_id is not null
        or v.options is not null
        or v.option_values is null
        or p.options is null
        or (select count(*) from jsonb_object_keys(v.option_values)) <> jsonb_array_length(p.options)
        or exists (
            select from jsonb_array_elements(p.options) as o
            where not coalesce(o.value -> 'values' @> (v.option_values -> (o.value ->> 'name')), false)
        )
    )
union all
select sku, 'it has values without a parent'
from catalog.product
where tenant_id = $1 and parent_id is null and option_values is not null
order by sku
limit 100
