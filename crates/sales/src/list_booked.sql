-- As count_booked.sql, one by one: $1 to $5 as there, after the time $6 and the identifier $7, $8 limit.
with booked as (
    select s.id, s.created_at, s.receipt_prefix, s.receipt_seq
    from sales.sale as s
    where s.tenant_id = $1 and s.kind = 'sale' and s.created_at >= $2 and s.created_at < $3
        and s.occurred_at >= $4 and s.occurred_at < $5
        and s.created_at - s.occurred_at <= interval '24:00:00'
    union all
    select s.id, s.created_at, s.receipt_prefix, s.receipt_seq
    from sales.sale as s
    where s.tenant_id = $1 and s.kind = 'sale' and s.created_at >= $2 and s.created_at < $3
        and s.created_at - s.occurred_at > interval '24:00:00'
)
select b.id, b.created_at, b.receipt_prefix, b.receipt_seq
from booked as b
where ($6::timestamptz is null or (b.created_at, b.id) > ($6, $7::uuid))
    and not exists (select from sales.imported_sale as i where i.tenant_id = $1 and i.sale_id = b.id)
order by b.created_at, b.id
limit $8
