-- Words that begin like the one typed and are about as long: candidates for swapped letters.
select term, products
from catalog.term
where
    tenant_id = $1 and kind = 'w' and term >= $2 and term < $2 || $3
    and length(term) between $4 and $5 and products > 0
order by products desc, term
limit 500
