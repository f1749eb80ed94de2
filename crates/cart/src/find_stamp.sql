-- Of the cart as it is now: what `find_cart.sql` would find, without reading it.
select version, xmin::text as row_state
from cart.cart
where tenant_id = $1 and owner = $2 and (expires_at > $3 or checkout_id is not null)
