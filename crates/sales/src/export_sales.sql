-- Pages are cut between sales: $3 counts sales, not rows.
with page as (
    select id, shop_id, register_id, occurred_at, customer_id, tenders
    from sales.sale
    where tenant_id = $1 and id > $2
    order by id
    limit $3
)
select page.id, coalesce(imported.external_id, page.id::text) as external_id, page.shop_id, register.code,
       page.occurred_at, page.customer_id::text as customer, line.sku, line.quantity, line.unit_price, line.discount,
       page.tenders -> 0 ->> 0 as tender
from page
join sales.register on register.tenant_id = $1 and register.id = page.register_id
join sales.sale_line as line on line.tenant_id = $1 and line.sale_id = page.id
left join sales.imported_sale as imported on imported.tenant_id = $1 and imported.sale_id = page.id
order by page.id, line.line
