-- Conditions that are not asked for fall away when the statement is planned with its parameters.
-- $2 owner, $3 status, $4 from, $5 to, $6 number, $7 and $8 after
select id, number, status, channel, owner, shop_id, checkout_id, payment_id, sale_id, net, vat, gross, discount, lines,
       ship_to, note, history, version, created_at, updated_at
from orders.customer_order
where tenant_id = $1
  and ($2::text is null or owner = $2)
  and ($3::text is null or status = $3)
  and ($4::timestamptz is null or created_at >= $4)
  and ($5::timestamptz is null or created_at < $5)
  and ($6::bigint is null or number = $6)
  and ($7::timestamptz is null or (created_at, id) < ($7, $8::uuid))
order by created_at desc, id desc
limit $9
