delete from cart.cart
where tenant_id = $1 and owner = $2
