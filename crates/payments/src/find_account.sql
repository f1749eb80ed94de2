-- $1 tenant, $2 provider
select sealed
from payments.provider_account
where tenant_id = $1 and provider = $2
