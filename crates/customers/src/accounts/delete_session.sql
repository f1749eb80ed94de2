delete from customers.session
where tenant_id = $1 and id = $2
