select pg_advisory_xact_lock(hashtextextended('catalog.tax_rate ' || $1::uuid::text, 0))
