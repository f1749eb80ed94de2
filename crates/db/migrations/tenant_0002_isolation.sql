-- The rules that keep tenants apart, applied by one call per table.

-- Forces row-level security: markethall_app sees and writes only rows of the tenant set in app.tenant_id, and nothing
-- when none is set. Migrations (role markethall_owner, app.migrating = on) see all rows, or back-fills would silently
-- change none.
create function db.isolate(target regclass) returns void
language plpgsql
set search_path = pg_catalog
as $$
declare
    first_key_column name;
    only_my_tenant constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
begin
    if not exists (
        select from pg_attribute
        where attrelid = target and attname = 'tenant_id' and atttypid = 'uuid'::regtype and attnotnull
    ) then
        raise exception 'table % needs a column tenant_id uuid not null', target;
    end if;

    select attname into first_key_column
    from pg_index
    join pg_attribute on pg_attribute.attrelid = pg_index.indrelid and pg_attribute.attnum = pg_index.indkey[0]
    where pg_index.indrelid = target and pg_index.indisprimary;
    if first_key_column is distinct from 'tenant_id' then
        raise exception 'table % needs a primary key that starts with tenant_id', target;
    end if;

    execute format('alter table %s enable row level security', target);
    execute format('alter table %s force row level security', target);
    execute format(
        'create policy tenant_isolation on %s to markethall_app using (%s) with check (%s)',
        target, only_my_tenant, only_my_tenant
    );
    execute format(
        'create policy migration on %s to markethall_owner using (current_setting(''app.migrating'', true) = ''on'')',
        target
    );
    execute format(
        'grant usage on schema %I to markethall_app',
        (select relnamespace::regnamespace::name from pg_class where oid = target)
    );
end
$$;

-- For tables whose rows change.
create function db.protect(target regclass) returns void
language plpgsql
set search_path = pg_catalog
as $$
begin
    perform db.isolate(target);
    execute format('grant select, insert, update, delete on %s to markethall_app', target);
end
$$;

-- For books: what is written stays as it was written.
create function db.protect_append_only(target regclass) returns void
language plpgsql
set search_path = pg_catalog
as $$
begin
    perform db.isolate(target);
    execute format('grant select, insert on %s to markethall_app', target);
end
$$;

revoke execute on function db.isolate, db.protect, db.protect_append_only from public;

-- Readiness: the program may ask whether the schema is the one it was built for.
grant usage on schema db to markethall_app;
grant select on db.migration to markethall_app;
