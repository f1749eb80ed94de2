select id, sale_id, payment_id, gross, status in ('cancelled', 'refunded') as undone
from orders.customer_order
where tenant_id = $1 and id > $2
  and (status in ('paid', 'packed', 'shipped', 'delivered', 'refunded')
       or (status = 'cancelled' and history @> '[{"status": "paid"}]'))
order by id
limit $3
