delete from cart.cart
where tenant_id = $1 and expires_at <= $2 and checkout_id is null
