-- Writes sales and their lines, and numbers their receipts without a gap: the counter's row lock orders all
-- bookings of a register, and its open shift is read under that same lock.
-- $1 tenant, $2 now, $3 sales, $4 lines
with booked as materialized (
    select id, kind, channel, shop_id, register_id, receipt_prefix, cashier, customer_id, original_id, reason,
           prices_include_vat, vat_rounding, net, vat, gross, discount, cash_rounding, change, tenders, taxes,
           occurred_at, in_shift, ordinality as place
    from unnest($3::sales.new_sale[]) with ordinality
),
wanted as materialized (
    select register_id, count(*) as receipts
    from booked
    group by register_id
    order by register_id
),
counter as (
    insert into sales.receipt_counter as counter (tenant_id, register_id, last_number)
    select $1, register_id, receipts
    from wanted
    on conflict (tenant_id, register_id) do update
    set last_number = counter.last_number + excluded.last_number
    returning register_id, last_number, open_shift_id
),
line as (
    insert into sales.sale_line
        (tenant_id, sale_id, line, sku, name, category, quantity, unit_price, discount, net, vat, gross, vat_rate,
         original_line, restock)
    select $1, sale_id, line, sku, name, category, quantity, unit_price, discount, net, vat, gross, vat_rate,
           original_line, restock
    from unnest($4::sales.new_sale_line[])
)
insert into sales.sale
    (tenant_id, id, kind, channel, shop_id, register_id, shift_id, receipt_prefix, receipt_seq, cashier, customer_id,
     original_id, reason, prices_include_vat, vat_rounding, net, vat, gross, discount, cash_rounding, change,
     tenders, taxes, occurred_at, created_at)
select $1, booked.id, booked.kind, booked.channel, booked.shop_id, booked.register_id,
       case when booked.in_shift then counter.open_shift_id end,
       booked.receipt_prefix,
       counter.last_number - wanted.receipts
           + row_number() over (partition by booked.register_id order by booked.place),
       booked.cashier, booked.customer_id, booked.original_id, booked.reason, booked.prices_include_vat,
       booked.vat_rounding, booked.net, booked.vat, booked.gross, booked.discount, booked.cash_rounding,
       booked.change, booked.tenders, booked.taxes, booked.occurred_at, $2
from booked
join wanted using (register_id)
join counter using (register_id)
returning id, receipt_seq, shift_id
