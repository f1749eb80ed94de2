-- How many rows of a table each tenant has, for whoever looks after the database as a whole. Tables of up to `most_pages` pages
-- are counted whole; of a larger one about so many pages are read, taken at random, and what is found stands for the rest.
-- It runs as the owner of the tables, who sees all rows while migrating; requests may not call it.
create function db.measure(target regclass, most_pages bigint) returns table (tenant_id uuid, held bigint)
language plpgsql
security definer
set search_path = pg_catalog
as $$
declare
    pages constant bigint := pg_relation_size(target) / current_setting('block_size')::bigint;
    percent constant double precision := least(100, 100.0 * most_pages / greatest(pages, 1));
begin
    if not exists (
        select from pg_class join pg_attribute on attrelid = pg_class.oid
        where pg_class.oid = target and relforcerowsecurity and attname = 'tenant_id' and atttypid = 'uuid'::regtype
    ) then
        raise exception 'table % is not one of tenants', target;
    end if;
    -- Until the end of the transaction at most; whoever calls this is not the owner, to whom alone it means anything.
    perform set_config('app.migrating', 'on', true);
    return query execute format(
        'select tenant_id, (count(*) * 100 / %s)::bigint from %s tablesample system (%s) group by tenant_id',
        percent, target, percent
    );
    perform set_config('app.migrating', 'off', true);
end
$$;

revoke execute on function db.measure from public;
grant usage on schema db to markethall_relay;
grant execute on function db.measure to markethall_relay;
