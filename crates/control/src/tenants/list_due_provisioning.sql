select tenant_id
from control.provisioning
where step <> 'done'
    and next_attempt_at <= $1
    and (claimed_until is null or claimed_until < $1)
order by next_attempt_at
limit $2
