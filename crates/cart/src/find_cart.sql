select owner, lines, checkout_id, version, updated_at, expires_at, xmin::text as row_state
from cart.cart
where tenant_id = $1 and owner = $2 and (expires_at > $3 or checkout_id is not null)
