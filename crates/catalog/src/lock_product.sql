-- Until the end of the transaction nobody else changes the product, or the set of its variants.
select parent_id, options
from catalog.product
where tenant_id = $1 and id = $2
for no key update
