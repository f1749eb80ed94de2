delete from catalog.tax_rate where tenant_id = $1
