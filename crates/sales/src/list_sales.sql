-- Conditions that are not asked for fall away when the statement is planned with its parameters.
-- $2 from, $3 to, $4 shop, $5 register, $6 cashier, $7 customer, $8 channel, $9 and $10 receipt, $11 and $12 after
select sale.id, sale.kind, sale.channel, sale.shop_id, sale.register_id, sale.shift_id, sale.receipt_prefix,
       sale.receipt_seq, sale.cashier, sale.customer_id, sale.original_id, sale.reason, sale.net, sale.vat, sale.gross,
       sale.discount, sale.cash_rounding, sale.change, sale.taxes, sale.tenders, sale.occurred_at, sale.created_at,
       sale.prices_include_vat, coalesce(correction.refunded, 0)::bigint as refunded,
       coalesce(correction.voided, false) as voided
from sales.sale
left join lateral (
    select -sum(made.gross) as refunded, bool_or(made.kind = 'void') as voided
    from sales.sale as made
    where made.tenant_id = $1 and made.original_id = sale.id
) as correction on true
where sale.tenant_id = $1
  and ($2::timestamptz is null or sale.occurred_at >= $2)
  and ($3::timestamptz is null or sale.occurred_at < $3)
  and ($4::uuid is null or sale.shop_id = $4)
  and ($5::uuid is null or sale.register_id = $5)
  and ($6::text is null or sale.cashier = $6)
  and ($7::uuid is null or sale.customer_id = $7)
  and ($8::text is null or sale.channel = $8)
  and ($9::text is null or (sale.receipt_seq = $10 and sale.register_id = (
      select register.id
      from sales.register
      where register.tenant_id = $1 and register.receipt_prefix = $9
  )))
  and ($11::timestamptz is null or (sale.occurred_at, sale.id) < ($11, $12::uuid))
order by sale.occurred_at desc, sale.id desc
limit $13
