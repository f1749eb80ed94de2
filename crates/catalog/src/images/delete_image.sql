delete from catalog.image where tenant_id = $1 and id = $2 and not shown
