delete from customers.address
where tenant_id = $1 and customer_id = $2 and id = $3
