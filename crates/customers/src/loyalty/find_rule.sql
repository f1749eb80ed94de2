select active, earn_points, earn_per_amount, burn_points, burn_amount, expiry_months, version
from customers.loyalty_rule
where tenant_id = $1
