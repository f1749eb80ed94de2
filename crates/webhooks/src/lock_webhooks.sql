-- $1 tenant
select pg_advisory_xact_lock(hashtextextended('webhooks.subscription', 0) # hashtextextended($1::uuid::text, 0))
