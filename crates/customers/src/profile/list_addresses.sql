select id, label, name, company, lines, postal_code, city, region, country, phone, default_shipping, default_billing
from customers.address
where tenant_id = $1 and customer_id = $2
order by id
limit 100
