select category, rate, valid_from, valid_to
from catalog.tax_rate
where tenant_id = $1
order by category, valid_from
