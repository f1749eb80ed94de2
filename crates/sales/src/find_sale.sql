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
where sale.tenant_id = $1 and sale.id = $2
