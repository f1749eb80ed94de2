-- Whether every transaction older than $1 has ended. The snapshot's horizon spans the whole cluster; while another
-- database holds it back, only those of this database are looked at.
select
    pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= $1
    or not (
        exists (
            select
            from pg_stat_activity as a
            where
                a.datname = current_database()
                and a.backend_xid is not null
                -- The 32 bits of the activity view compared like transaction ids: the signed distance on the circle.
                and (($1 - a.backend_xid::text::bigint) % 4294967296 + 4294967296) % 4294967296 between 1 and 2147483647
        )
        or exists (select from pg_prepared_xacts as p where p.database = current_database())
    ) as settled
