-- The subject, what the book adds up to, what the shelf says. $1 tenant
select 'shop ' || coalesce(shop.code, shop_id::text) || ', sku ' || sku as subject,
       coalesce(book.quantity, 0)::bigint as expected,
       coalesce(stock.on_hand, 0)::bigint as found
from (select sku, shop_id, sum(quantity) as quantity from inventory.movement where tenant_id = $1 group by sku, shop_id)
    as book
full join (select sku, shop_id, on_hand from inventory.stock where tenant_id = $1) as stock using (sku, shop_id)
left join inventory.shop on shop.tenant_id = $1 and shop.id = shop_id
where coalesce(book.quantity, 0) <> coalesce(stock.on_hand, 0)
order by subject
limit 1000
