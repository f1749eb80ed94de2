select count(*) filter (where kind = 'sale') as sales,
       count(*) filter (where kind = 'void') as voids,
       count(*) filter (where kind = 'refund') as refunds,
       coalesce(sum(net), 0)::bigint as net,
       coalesce(sum(vat), 0)::bigint as vat,
       coalesce(sum(gross), 0)::bigint as gross,
       coalesce(sum(discount), 0)::bigint as discount,
       coalesce(sum(cash_rounding), 0)::bigint as cash_rounding,
       coalesce(sum(change), 0)::bigint as change,
       (select coalesce(sum(amount), 0)::bigint
        from sales.cash_movement
        where tenant_id = $1 and shift_id = $2 and kind = 'pay_in') as pay_ins,
       (select coalesce(sum(amount), 0)::bigint
        from sales.cash_movement
        where tenant_id = $1 and shift_id = $2 and kind = 'pay_out') as pay_outs
from sales.sale
where tenant_id = $1 and shift_id = $2
