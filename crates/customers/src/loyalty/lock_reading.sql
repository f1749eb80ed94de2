select read_to, active_since
from customers.loyalty_rule
where tenant_id = $1 and active and active_since is not null
for update
