select tenders
from sales.sale
where tenant_id = $1 and original_id = $2
