-- One more than is shown, to see whether some are left out.
select term as path, products, active
from catalog.term
where tenant_id = $1 and kind = 'c' and products > 0 and term >= $2 and term < $3
order by term
limit $4
