-- Nothing is changed under the hands of somebody at work: they have read the old values.
update control.provisioning
set admin_email = $2, admin_password = $3, claimed_by = $4, claimed_until = $5
where tenant_id = $1
    and step in ('place', 'create_database', 'migrate', 'seed', 'admin')
    and (claimed_until is null or claimed_until < $6)
