select admin_email, admin_password
from control.provisioning
where tenant_id = $1
