select 'role' as kind, rolname::text as name
from pg_catalog.pg_roles
where rolname like 'markethall%'
union all
select 'database', datname::text
from pg_catalog.pg_database
where pg_catalog.shobj_description(oid, 'pg_database') = $1
