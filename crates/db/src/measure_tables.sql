-- Tables of tenants that are not empty, with what they take on disk, indexes and long values included.
select c.oid, pg_catalog.pg_total_relation_size(c.oid)
from pg_catalog.pg_class as c
where c.relkind = 'r' and c.relforcerowsecurity and pg_catalog.pg_relation_size(c.oid) > 0
    and exists (
        select from pg_catalog.pg_attribute as a where a.attrelid = c.oid and a.attname = 'tenant_id' and a.attnotnull
    )
order by c.oid
