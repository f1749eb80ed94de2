-- The web shop; where there is none, the first store. $1 tenant
select id
from inventory.shop
where tenant_id = $1 and active
order by kind = 'web' desc, code
limit 1
