-- $1 tenant
select provider, hint, updated_at
from payments.provider_account
where tenant_id = $1
order by provider
limit 100
