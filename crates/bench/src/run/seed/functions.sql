-- What the seeding scripts share.

-- A UUIDv7 of that time; the same `word` gives the same one.
create function pg_temp.uuid7(moment timestamptz, word text) returns uuid
language sql immutable
return (
    lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0')
    || '7' || substr(md5(word), 1, 3) || '8' || substr(md5(word), 4, 3) || substr(md5(word), 7, 12)
)::uuid;

-- Copies rows of a table, whatever its columns are: `changes` has an expression for each column that becomes another,
-- `source` is what follows `from <target> as old`.
create function pg_temp.copy_rows(target regclass, changes jsonb, source text) returns bigint
language plpgsql
as $$
declare
    columns text;
    expressions text;
    copied bigint;
begin
    select string_agg(quote_ident(attname), ', ' order by attnum),
           string_agg(coalesce(changes ->> attname, 'old.' || quote_ident(attname)), ', ' order by attnum)
    into columns, expressions
    from pg_catalog.pg_attribute
    where attrelid = target and attnum > 0 and not attisdropped and attgenerated = '';
    execute format('insert into %s (%s) select %s from %s as old %s', target, columns, expressions, target, source);
    get diagnostics copied = row_count;
    return copied;
end
$$;
