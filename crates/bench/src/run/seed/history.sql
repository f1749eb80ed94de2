-- Multiplies the sales of one register over the last two years, as the checker accepts them: lines, movements, stock
-- and receipt numbers go along.
-- :tenant, :register their ids, :copies how many of each sale
set local synchronous_commit = off;
set local work_mem = '256MB';

create temporary table copy as
select
    sale.id as old_id,
    pg_temp.uuid7(spread.moment, 'history ' || spread.place) as new_id,
    counter.last_number + spread.place as receipt_seq,
    spread.place,
    spread.moment
from sales.receipt_counter as counter
join sales.sale on sale.tenant_id = counter.tenant_id and sale.register_id = counter.register_id
cross join generate_series(0, :copies::bigint - 1) as round
cross join lateral (
    select
        round * counter.last_number + sale.receipt_seq as place,
        now() - interval '2 years'
            * (1 - (round * counter.last_number + sale.receipt_seq)::float8 / (:copies * counter.last_number + 1))
            as moment
) as spread
where counter.tenant_id = :'tenant'::uuid and counter.register_id = :'register'::uuid;

select pg_temp.copy_rows(
    'sales.sale',
    '{"id": "copy.new_id", "receipt_seq": "copy.receipt_seq", "occurred_at": "copy.moment", "created_at": "copy.moment"}',
    format('join copy on copy.old_id = old.id where old.tenant_id = %L', :'tenant')
);
select pg_temp.copy_rows(
    'sales.sale_line',
    '{"sale_id": "copy.new_id"}',
    format('join copy on copy.old_id = old.sale_id where old.tenant_id = %L', :'tenant')
);

-- Before the movements are multiplied: what one round takes from each shelf.
update inventory.stock
set on_hand = stock.on_hand + taken.quantity * :copies
from (
    select sku, shop_id, sum(quantity) as quantity
    from inventory.movement
    where tenant_id = :'tenant'::uuid and reference in (select old_id from copy)
    group by sku, shop_id
) as taken
where stock.tenant_id = :'tenant'::uuid and stock.sku = taken.sku and stock.shop_id = taken.shop_id;

select pg_temp.copy_rows(
    'inventory.movement',
    '{"id": "pg_temp.uuid7(copy.moment, old.id::text || copy.place)", "reference": "copy.new_id",
      "occurred_at": "copy.moment", "created_at": "copy.moment"}',
    format('join copy on copy.old_id = old.reference where old.tenant_id = %L', :'tenant')
);

update sales.receipt_counter
set last_number = last_number * (1 + :copies)
where tenant_id = :'tenant'::uuid and register_id = :'register'::uuid;
