update cart.cart
set checkout_id = null
from unnest($2::text[], $3::uuid[]) as given (owner, checkout_id)
where cart.tenant_id = $1 and cart.owner = given.owner and cart.checkout_id = given.checkout_id
