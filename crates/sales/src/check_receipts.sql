with numbered as (
    select register_id, count(*) as receipts, min(receipt_seq) as first, max(receipt_seq) as last
    from sales.sale
    where tenant_id = $1
    group by register_id
)
select coalesce(counter.register_id, numbered.register_id)::text as subject,
       format('the counter says %s, there are %s receipts from %s to %s', counter.last_number,
              coalesce(numbered.receipts, 0), numbered.first, numbered.last) as detail
from (select register_id, last_number from sales.receipt_counter where tenant_id = $1) as counter
full join numbered using (register_id)
where counter.last_number is distinct from coalesce(numbered.receipts, 0)
   or coalesce(numbered.first, 1) <> 1
   or coalesce(numbered.last, 0) <> coalesce(numbered.receipts, 0)
limit $2
