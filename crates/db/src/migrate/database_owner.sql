select pg_catalog.pg_get_userbyid(datdba)::text
from pg_catalog.pg_database
where datname = $1
