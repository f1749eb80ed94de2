select email, name
from control.account
where id = $1
