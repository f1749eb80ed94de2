-- One announcement at a time for each tenant, so that each counts those before it.
select pg_advisory_xact_lock(hashtextextended('catalog.import_run ' || $1::uuid::text, 0))
