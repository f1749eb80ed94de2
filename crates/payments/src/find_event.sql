-- $1 tenant, $2 provider, $3 event
select event_id
from payments.webhook_event
where tenant_id = $1 and provider = $2 and event_id = $3
