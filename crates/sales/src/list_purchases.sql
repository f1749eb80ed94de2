select id, customer_id, gross, original_id, occurred_at
from sales.sale
where tenant_id = $1 and id > $2 and id < $3 and customer_id is not null
order by id
limit $4
