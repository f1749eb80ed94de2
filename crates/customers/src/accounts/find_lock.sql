select max(locked_until) as until
from customers.attempt
where tenant_id = $1 and (subject = $2 or subject = $3) and locked_until > $4
