delete from customers.session
where tenant_id = $1 and customer_id = $2
