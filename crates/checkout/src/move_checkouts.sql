update checkout.checkout
set owner = $3
where tenant_id = $1 and owner = $2 and state = 'running'
