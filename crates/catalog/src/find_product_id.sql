select id from catalog.product where tenant_id = $1 and sku = $2
