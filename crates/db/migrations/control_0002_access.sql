-- The control plane's role may use whatever the owner makes in this database from now on; it owns nothing.
alter default privileges grant usage on schemas to markethall_control;
alter default privileges grant select, insert, update, delete on tables to markethall_control;
alter default privileges grant usage on sequences to markethall_control;

grant usage on schema db to markethall_control;
grant select on db.migration to markethall_control;
