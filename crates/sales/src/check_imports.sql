select imported.external_id as subject, 'the imported sale is not in the book' as detail
from sales.imported_sale as imported
left join sales.sale on sale.tenant_id = $1 and sale.id = imported.sale_id
where imported.tenant_id = $1 and sale.id is null
limit $2
