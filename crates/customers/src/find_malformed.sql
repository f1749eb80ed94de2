select id
from customers.customer
where
    tenant_id = $1
    and (version < 1 or updated_at < created_at or length(reference) not between 1 and 64 or length(name) > 200)
order by id
limit 100
