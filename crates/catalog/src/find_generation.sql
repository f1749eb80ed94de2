select token from catalog.generation where tenant_id = $1
