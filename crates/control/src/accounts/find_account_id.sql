select id
from control.account
where email = $1
