select max(signs_from)
from control.signing_key
