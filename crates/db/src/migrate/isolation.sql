-- Everything in tenant schemas that row-level security does not cover, one sentence per row.
with relation as (
    select
        pg_class.oid,
        pg_class.relkind,
        pg_class.relowner,
        pg_class.relrowsecurity,
        pg_class.relforcerowsecurity,
        pg_class.reloptions,
        format('%I.%I', pg_namespace.nspname, pg_class.relname) as name,
        pg_catalog.has_table_privilege('markethall_app', pg_class.oid, 'select, insert, update, delete, truncate')
            or pg_catalog.has_any_column_privilege('markethall_app', pg_class.oid, 'select, insert, update')
            as is_reachable
    from pg_catalog.pg_class
    join pg_catalog.pg_namespace on pg_namespace.oid = pg_class.relnamespace
    where pg_namespace.nspname not in ('pg_catalog', 'information_schema', 'public', 'db')
      and pg_namespace.nspname not like 'pg\_%'
),
tenant_table as (
    -- A table that tenants' requests cannot touch at all (the relay's place in the outbox) needs no tenant.
    select
        relation.oid,
        relation.name,
        relation.relrowsecurity,
        relation.relforcerowsecurity,
        relation.is_reachable,
        exists (
            select from pg_catalog.pg_attribute
            where attrelid = relation.oid and attname = 'tenant_id' and atttypid = 'uuid'::regtype and attnotnull
        ) as has_tenant
    from relation
    where relkind in ('r', 'p')
),
covered as (
    select oid, name, relrowsecurity, relforcerowsecurity, is_reachable, has_tenant
    from tenant_table
    where is_reachable or has_tenant
),
finding as (
    select name || ': no column tenant_id uuid not null' as text from covered where not has_tenant
    union all
    select name || ': row-level security is not enabled' from covered where not relrowsecurity
    union all
    select name || ': row-level security is not forced' from covered where not relforcerowsecurity
    union all
    select name || ': no policy for markethall_app'
    from covered
    where is_reachable
      and not exists (
          select from pg_catalog.pg_policy
          where polrelid = covered.oid and 'markethall_app'::regrole::oid = any (polroles)
      )
    union all
    select name || ': policy ' || polname || ' shows markethall_app more than its tenant'
    from covered
    join pg_catalog.pg_policy on polrelid = covered.oid
    where ('markethall_app'::regrole::oid = any (polroles) or 0::oid = any (polroles))
      and (
          pg_catalog.pg_get_expr(polqual, polrelid) is distinct from $1
          or coalesce(pg_catalog.pg_get_expr(polwithcheck, polrelid), $1) is distinct from $1
      )
    union all
    select name || ': markethall_app owns it' from relation
    where pg_catalog.pg_has_role('markethall_app', relowner, 'member') and relkind not in ('i', 'I', 't')
    union all
    select name || ': unique index ' || indexrelid::regclass || ' spans tenants'
    from covered
    join pg_catalog.pg_index on indrelid = covered.oid
    where has_tenant
      and indisunique
      and not exists (
          select from pg_catalog.pg_attribute
          where attrelid = indrelid and attname = 'tenant_id' and attnum = any (indkey::smallint[])
      )
    union all
    select name || ': foreign key ' || conname || ' may point to another tenant'
    from covered
    join pg_catalog.pg_constraint on conrelid = covered.oid and contype = 'f'
    where has_tenant
      and not exists (
          select
          from unnest(conkey, confkey) as pair (here, there)
          join pg_catalog.pg_attribute as source on source.attrelid = conrelid and source.attnum = here
          join pg_catalog.pg_attribute as target on target.attrelid = confrelid and target.attnum = there
          where source.attname = 'tenant_id' and target.attname = 'tenant_id'
      )
    union all
    select name || ': a view that does not run with its reader''s rights'
    from relation
    where is_reachable
      and (relkind = 'm' or (relkind = 'v' and not coalesce('security_invoker=true' = any (reloptions)
          or 'security_invoker=on' = any (reloptions), false)))
    union all
    select 'function ' || pg_proc.oid::regprocedure || ': runs with its owner''s rights for markethall_app'
    from pg_catalog.pg_proc
    join pg_catalog.pg_namespace on pg_namespace.oid = pg_proc.pronamespace
    where prosecdef
      and pg_namespace.nspname not in ('pg_catalog', 'information_schema', 'public')
      and pg_catalog.has_function_privilege('markethall_app', pg_proc.oid, 'execute')
    union all
    select 'role ' || rolname || ': must not be superuser nor bypass row-level security'
    from pg_catalog.pg_roles
    where rolname in ('markethall_app', 'markethall_relay', 'markethall_owner') and (rolsuper or rolbypassrls)
)
select text from finding order by text
