select products, active from catalog.term where tenant_id = $1 and kind = $2::text::"char" and term = $3
