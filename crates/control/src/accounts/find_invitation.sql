select invitation_hash
from control.membership
where tenant_id = $1 and account_id = $2 and status = 'invited' and invitation_expires_at > $3
for update
