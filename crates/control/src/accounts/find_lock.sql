select max(locked_until)
from control.sign_in_attempt
where ((scope = 'account' and subject = $1) or (scope = 'address' and subject = $2))
    and locked_until > $3
