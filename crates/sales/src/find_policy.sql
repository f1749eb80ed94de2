select prices_include_vat, vat_rounding, receipt_prefix
from sales.sale
where tenant_id = $1 and id = $2
