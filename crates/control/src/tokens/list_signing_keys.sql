select kid, public_x, sealed_private, signs_from, verifies_until
from control.signing_key
order by signs_from desc
limit 32
