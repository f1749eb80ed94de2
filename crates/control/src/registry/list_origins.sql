select distinct origin
from control.tenant
cross join lateral jsonb_array_elements_text(settings -> 'corsOrigins') as origin
where status = 'active'
limit $1
