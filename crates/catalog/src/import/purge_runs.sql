delete from catalog.import_run
where
    tenant_id = $1 and id in (
        select id
        from catalog.import_run
        where tenant_id = $1 and status in ('done', 'failed') and updated_at < $2
        order by updated_at
        limit 100
    )
returning id
