select merged_into
from customers.customer
where tenant_id = $1 and id = $2
for share
