select email, password
from control.account
where id = $1 and active
