select earlier.category, later.valid_from
from catalog.tax_rate as earlier
inner join catalog.tax_rate as later
    on
        later.tenant_id = earlier.tenant_id and later.category = earlier.category
        and later.valid_from > earlier.valid_from
where earlier.tenant_id = $1 and (earlier.valid_to is null or later.valid_from < earlier.valid_to)
order by earlier.category, later.valid_from
limit 100
