-- $1 tenant, $2 owners, $3 now
select owner, lines, checkout_id, version, updated_at, expires_at
from cart.cart
where tenant_id = $1 and owner = any ($2::text[]) and (expires_at > $3 or checkout_id is not null)
order by owner
for no key update
