select format('%I.%I', pg_namespace.nspname, pg_class.relname)
from pg_catalog.pg_index
join pg_catalog.pg_class on pg_class.oid = pg_index.indexrelid
join pg_catalog.pg_namespace on pg_namespace.oid = pg_class.relnamespace
where pg_namespace.nspname = $1
  and not pg_index.indisvalid
  and pg_class.relkind = 'i'
