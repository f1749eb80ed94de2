-- How many SKUs begin with the code as typed or in capitals; no more than $5.
select count(*) as products
from (
    select
    from catalog.product
    where tenant_id = $1 and ((sku >= $2 and sku < $2 || $4) or (sku >= $3 and sku < $3 || $4))
    limit $5
) as bounded
