select sku, count(*) as products
from catalog.product
where tenant_id = $1
group by sku
having count(*) > 1
order by sku
limit 100
