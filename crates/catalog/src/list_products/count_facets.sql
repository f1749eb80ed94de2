-- Facets over the first $6 products: those that search finds ($8), or those that come along.
with hit as materialized (
    select found.category, found.price, found.active, found.attributes
    from catalog.search_hits($2, $3, $4, $5, $6) as found
    where $8
    union all
    (
        select p.category, p.price, p.active, p.attributes
        from catalog.product as p
        where
            not $8
            and p.tenant_id = $1
            and ($2::tsquery is null or p.search @@ $2)
            and ($3::boolean is null or p.active = $3)
            and ($4::bigint is null or p.price >= $4)
            and ($5::bigint is null or p.price <= $5)
        limit $6
    )
)
select 'category' as kind, hit.category as value, count(*) as products from hit group by hit.category
union all
select 'price', width_bucket(hit.price, $7::bigint[])::text, count(*) from hit group by 2
union all
select 'active', hit.active::text, count(*) from hit group by hit.active
union all
(
    select 'attribute', a.key || '=' || a.value, count(*) as products
    from hit cross join lateral jsonb_each_text(hit.attributes) as a
    group by a.key, a.value
    order by products desc, a.key, a.value
    limit 200
)
