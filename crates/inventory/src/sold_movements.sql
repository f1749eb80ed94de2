select shop_id, sku, -sum(quantity)::bigint as units
from inventory.movement
where tenant_id = $1 and reason in ('sale', 'void', 'refund')
group by shop_id, sku
having sum(quantity) <> 0
order by shop_id, sku
