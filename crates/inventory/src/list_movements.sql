-- $1 tenant, $2 first id, $3 end id, $4 shop, $5 reason, $6 from, $7 to, $8 limit, $9 null: no sku
select id, shop_id, sku, quantity, reason, reference, note, occurred_at, created_at
from inventory.movement
where tenant_id = $1 and id >= $2 and id < $3
  and ($4::uuid is null or shop_id = $4)
  and ($5::text is null or reason = $5)
  and ($6::timestamptz is null or occurred_at >= $6)
  and ($7::timestamptz is null or occurred_at < $7)
  and $9::text is null
order by id desc
limit $8
