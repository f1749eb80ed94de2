with taken as (
    select made.original_id, line.original_line, -sum(line.quantity) as quantity, -sum(line.gross) as gross
    from sales.sale as made
    join sales.sale_line as line on line.tenant_id = $1 and line.sale_id = made.id
    where made.tenant_id = $1 and made.original_id is not null
    group by made.original_id, line.original_line
)
select taken.original_id::text as subject,
       format('line %s: %s sold for %s, %s taken back for %s', taken.original_line, sold.quantity, sold.gross,
              taken.quantity, taken.gross) as detail
from taken
left join sales.sale_line as sold
    on sold.tenant_id = $1 and sold.sale_id = taken.original_id and sold.line = taken.original_line
where sold.sale_id is null or taken.quantity > sold.quantity or taken.gross > sold.gross
   or (taken.quantity = sold.quantity and taken.gross <> sold.gross)
limit $2
