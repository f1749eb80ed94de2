-- For each word typed: words of the vocabulary that begin with it (`prefix`), how many products those have in all
-- (`total`), and words that look like it (`alike`). $3 is greater than any letter.
with typed as (
    select t.word, t.place::integer as place
    from unnest($2::text[]) with ordinality as t (word, place)
)
select t.place, 'prefix' as how, v.term as word, 1::real as likeness, v.products
from typed as t
cross join lateral (
    select term.term, term.products
    from catalog.term
    where
        term.tenant_id = $1 and term.kind = 'w' and term.term >= t.word and term.term < t.word || $3
        and term.products > 0
    order by term.term
    limit $4
) as v
union all
select t.place, 'total', t.word, 0::real, v.products
from typed as t
cross join lateral (
    select coalesce(sum(bounded.products), 0)::bigint as products
    from (
        select term.products
        from catalog.term
        where term.tenant_id = $1 and term.kind = 'w' and term.term >= t.word and term.term < t.word || $3
        limit 2000
    ) as bounded
) as v
union all
select s.place, 'alike', s.word, s.likeness, s.products
from catalog.similar_words($2, 8) as s
