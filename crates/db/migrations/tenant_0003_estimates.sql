-- Plans are made once for all tenants, and tenants differ by orders of magnitude: a table in which the average tenant has
-- three rows is read whole for the tenant that has a million, if the planner believes in the average. So it is told that
-- any tenant may hold all of a table, and takes the index that leads to the rows asked for.
create function db.estimate_for_the_largest_tenant(target regclass) returns void
language plpgsql
set search_path = pg_catalog
as $$
begin
    execute format('alter table %s alter column tenant_id set (n_distinct = 1)', target);
end
$$;

create or replace function db.protect(target regclass) returns void
language plpgsql
set search_path = pg_catalog
as $$
begin
    perform db.isolate(target);
    perform db.estimate_for_the_largest_tenant(target);
    execute format('grant select, insert, update, delete on %s to markethall_app', target);
end
$$;

create or replace function db.protect_append_only(target regclass) returns void
language plpgsql
set search_path = pg_catalog
as $$
begin
    perform db.isolate(target);
    perform db.estimate_for_the_largest_tenant(target);
    execute format('grant select, insert on %s to markethall_app', target);
end
$$;

revoke execute on function db.estimate_for_the_largest_tenant from public;

-- The tables there are already. What is told counts from their next analyze on.
do $$
begin
    perform db.estimate_for_the_largest_tenant(polrelid)
    from pg_policy
    where polname = 'tenant_isolation';
end
$$;
