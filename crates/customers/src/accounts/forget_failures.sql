delete from customers.attempt
where tenant_id = $1 and subject = $2
