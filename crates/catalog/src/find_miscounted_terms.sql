-- Categories and words by the lexemes that products have ($2 is the length of the tenant's prefix in front of them),
-- against the counts that are kept.
with lexeme as (
    select substr(l.lexeme, $2 + 1) as lexeme, l.positions is not null as is_word, p.active
    from catalog.product as p cross join lateral unnest(p.search) as l
    where p.tenant_id = $1
),
counted as (
    select
        case when is_word then 'w' else 'c' end as kind,
        case when is_word then lexeme else substr(lexeme, 3) end as term,
        count(*) as products,
        count(*) filter (where active) as active
    from lexeme
    where is_word or lexeme like 'c=%'
    group by 1, 2
    union all
    select 'n', 'products', count(*), count(*) filter (where active)
    from catalog.product
    where tenant_id = $1
),
kept as (
    select kind::text as kind, term, products, active
    from catalog.term
    where tenant_id = $1 and kind in ('w', 'c', 'n')
)
select
    coalesce(kept.kind, counted.kind) as kind, coalesce(kept.term, counted.term) as term,
    coalesce(kept.products, 0) as kept, coalesce(counted.products, 0) as counted
from kept
full join counted on counted.kind = kept.kind and counted.term = kept.term
where
    coalesce(kept.products, 0) <> coalesce(counted.products, 0)
    or coalesce(kept.active, 0) <> coalesce(counted.active, 0)
order by 1, 2
limit 100
