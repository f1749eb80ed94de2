-- Imports that were over before $2, and all but the newest $3: what their reports take up is bounded.
delete from catalog.import_run
where
    tenant_id = $1 and id in (
        select id
        from catalog.import_run
        where
            tenant_id = $1 and status in ('done', 'failed')
            and (
                updated_at < $2
                or id not in (
                    select id
                    from catalog.import_run
                    where tenant_id = $1 and status in ('done', 'failed')
                    order by id desc
                    limit $3
                )
            )
        order by id
        limit 100
    )
returning id
