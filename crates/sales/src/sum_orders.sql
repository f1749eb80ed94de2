-- Sales of the channels that sell by orders. $1 tenant
select count(*), coalesce(sum(sale.gross), 0)::bigint
from sales.sale
join sales.register on register.tenant_id = $1 and register.id = sale.register_id and register.code = 'WEB'
where sale.tenant_id = $1 and sale.kind = 'sale' and sale.channel <> 'till'
