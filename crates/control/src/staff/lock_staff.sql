select id
from control.tenant
where id = $1
for update
