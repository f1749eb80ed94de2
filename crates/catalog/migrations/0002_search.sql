-- Search under row-level security (docs/adr/0010-search-under-rls.md). Text operators are not leakproof, so that under
-- a policy they may not use an index; these functions run as their owner, to whom no policy applies a condition, and
-- apply the tenant themselves. They only read, and give out identifiers, words and counts of the transaction's own
-- tenant; without a tenant they find nothing.
create policy search on catalog.product for select to markethall_owner using (true);
create policy search on catalog.term for select to markethall_owner using (true);

-- The products that match `wanted`, in order, behind the one named by `after_*`; at most `take`.
-- Products that match `code_is` come first, then those of `code_begins`, then by the rank that `ranked` gives them, a
-- little more when they match `typed`.
-- "is not distinct from" and not "=": the index on `search` alone is the right one, its lexemes name the tenant.
create function catalog.search_products(
    wanted tsquery, ranked tsquery, typed tsquery, code_is tsquery, code_begins tsquery,
    is_active boolean, price_min bigint, price_max bigint,
    sort text, after_number bigint, after_text text, after_id uuid, take integer
)
returns table (product_id uuid, key_number bigint, key_text text)
language plpgsql stable security definer rows 50
set search_path = pg_catalog, pg_temp
as $$
declare
    my_tenant constant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
    names_down constant boolean := sort = '-name';
begin
    return query
    select found.id, found.number, found.text
    from (
        select
            p.id,
            case sort
                when 'relevance' then
                    -(coalesce(ts_rank(p.search, ranked, 1), 0) * 1000000)::bigint
                    - case when p.search @@ typed then 50000 else 0 end
                    - case
                        when p.search @@ code_is then 2000000000
                        when p.search @@ code_begins then 1000000000
                        else 0
                    end
                when 'price' then p.price
                when '-price' then -p.price
                when 'updatedAt' then (extract(epoch from p.updated_at) * 1000000)::bigint
                when '-updatedAt' then -(extract(epoch from p.updated_at) * 1000000)::bigint
                else 0
            end as number,
            case sort when 'name' then p.name_key when '-name' then p.name_key when 'sku' then p.sku else '' end as text
        from catalog.product as p
        where
            p.search @@ wanted
            and p.tenant_id is not distinct from my_tenant
            and (is_active is null or p.active = is_active)
            and (price_min is null or p.price >= price_min)
            and (price_max is null or p.price <= price_max)
    ) as found
    where
        after_id is null
        or case
            when names_down then
                found.text < after_text or (found.text = after_text and found.id > after_id)
            else (found.number, found.text, found.id) > (after_number, after_text, after_id)
        end
    order by
        found.number,
        case when not names_down then found.text end,
        case when names_down then found.text end desc,
        found.id
    limit take;
end
$$;
revoke execute on function catalog.search_products from public;
grant execute on function catalog.search_products to markethall_app;

-- What facets are counted from: the first `take` products that match.
create function catalog.search_hits(
    wanted tsquery, is_active boolean, price_min bigint, price_max bigint, take integer
)
returns table (category text, price bigint, active boolean, attributes jsonb)
language plpgsql stable security definer rows 1000
set search_path = pg_catalog, pg_temp
as $$
declare
    my_tenant constant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
begin
    return query
    select p.category, p.price, p.active, p.attributes
    from catalog.product as p
    where
        p.search @@ wanted
        and p.tenant_id is not distinct from my_tenant
        and (is_active is null or p.active = is_active)
        and (price_min is null or p.price >= price_min)
        and (price_max is null or p.price <= price_max)
    limit take;
end
$$;
revoke execute on function catalog.search_hits from public;
grant execute on function catalog.search_hits to markethall_app;

-- Words of the vocabulary that look like those typed, the most alike first; at most `take` for each.
create function catalog.similar_words(typed text [], take integer)
returns table (place integer, word text, likeness real, products bigint)
language plpgsql stable security definer rows 10
set search_path = pg_catalog, pg_temp
as $$
declare
    my_tenant constant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
begin
    return query
    select t.place::integer, s.term, s.likeness, s.products
    from unnest(typed) with ordinality as t (word, place)
    cross join lateral (
        select v.term, public.similarity(v.term, t.word) as likeness, v.products
        from catalog.term as v
        where v.tenant_id = my_tenant and v.kind = 'w' and v.term operator(public.%) t.word and v.products > 0
        order by likeness desc, v.term
        limit take
    ) as s;
end
$$;
revoke execute on function catalog.similar_words from public;
grant execute on function catalog.similar_words to markethall_app;
