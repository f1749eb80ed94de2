update control.provisioning
set admin_password = $2
where tenant_id = $1 and step in ('place', 'create_database', 'migrate', 'seed', 'admin')
