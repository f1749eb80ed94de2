-- $1 tenant
select pg_advisory_xact_lock(hashtextextended('inventory.shop_code', 0) # hashtextextended($1::uuid::text, 0))
