-- A tax category that a product names and that would have no rate any more. Reads every product at worst; rates are
-- changed a few times in a merchant's life.
select tax_category
from catalog.product
where tenant_id = $1 and tax_category <> all($2::text[])
limit 1
