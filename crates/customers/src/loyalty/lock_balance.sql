select points
from customers.loyalty_balance
where tenant_id = $1 and customer_id = $2
for update
