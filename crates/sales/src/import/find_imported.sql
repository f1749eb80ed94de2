select external_id, fingerprint
from sales.imported_sale
where tenant_id = $1 and external_id = any($2::text[])
