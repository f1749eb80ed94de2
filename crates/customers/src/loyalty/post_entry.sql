with written as (
    insert into customers.loyalty_entry (
        tenant_id, id, customer_id, points, reason, reference, origin, amount, note, author, created_at
    )
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    on conflict on constraint loyalty_entry_once do nothing
    returning customer_id, points
)
insert into customers.loyalty_balance as b (tenant_id, customer_id, points)
select $1, w.customer_id, w.points
from written as w
on conflict (tenant_id, customer_id) do update
set points = b.points + excluded.points
returning b.points
