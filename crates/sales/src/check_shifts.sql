with summed as (
    select shift_id, sum(gross) as gross, sum(vat) as vat, count(*) as receipts
    from sales.sale
    where tenant_id = $1 and shift_id is not null
    group by shift_id
)
select shift.id::text as subject,
       format('Z report says gross %s vat %s, the sales say %s %s', shift.report -> 'gross' ->> 'amount',
              shift.report -> 'vat' ->> 'amount', coalesce(summed.gross, 0), coalesce(summed.vat, 0)) as detail
from sales.shift
left join summed on summed.shift_id = shift.id
where shift.tenant_id = $1 and shift.report is not null
  and ((shift.report -> 'gross' ->> 'amount')::bigint <> coalesce(summed.gross, 0)
       or (shift.report -> 'vat' ->> 'amount')::bigint <> coalesce(summed.vat, 0))
limit $2
