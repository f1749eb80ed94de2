select id, number, status, channel, owner, shop_id, checkout_id, payment_id, sale_id, net, vat, gross, discount, lines,
       ship_to, note, history, version, created_at, updated_at
from orders.customer_order
where tenant_id = $1 and id = $2
for no key update
