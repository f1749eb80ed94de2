delete from cart.cart
where tenant_id = $1 and owner = any ($2::text[]) and checkout_id is null
