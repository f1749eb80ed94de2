select customer_id
from customers.loyalty_balance
where tenant_id = $1 and customer_id > $2 and points > 0
order by customer_id
limit $3
for update
