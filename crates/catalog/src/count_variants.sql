select count(*) as variants
from catalog.product
where tenant_id = $1 and parent_id = $2
