select made.id::text as subject, format('%s of %s, which is %s', made.kind, made.original_id, original.kind) as detail
from sales.sale as made
left join sales.sale as original on original.tenant_id = $1 and original.id = made.original_id
where made.tenant_id = $1 and made.original_id is not null and original.kind is distinct from 'sale'
limit $2
