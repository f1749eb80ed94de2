delete from control.issuer
where tenant_id = $1 and name = $2
