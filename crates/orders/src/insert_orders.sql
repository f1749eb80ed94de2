-- $1 tenant, $2 now, $3 orders. The counter's row lock orders all orders of a tenant. Numbers begin at 1001.
with given as materialized (
    select placed.id, placed.status, placed.channel, placed.owner, placed.shop_id, placed.checkout_id, placed.payment_id,
           placed.sale_id, placed.net, placed.vat, placed.gross, placed.discount, placed.lines, placed.ship_to, placed.note,
           placed.history, placed.place
    from unnest($3::orders.new_order[]) with ordinality
        as placed (id, status, channel, owner, shop_id, checkout_id, payment_id, sale_id, net, vat, gross, discount,
                   lines, ship_to, note, history, place)
    where not exists (
        select from orders.customer_order as known where known.tenant_id = $1 and known.id = placed.id
    )
),
counter as (
    insert into orders.counter as counter (tenant_id, last_number)
    select $1, 1000 + count(*) from given
    on conflict (tenant_id) do update
    set last_number = counter.last_number + excluded.last_number - 1000
    returning last_number
)
insert into orders.customer_order
    (tenant_id, id, number, status, channel, owner, shop_id, checkout_id, payment_id, sale_id, net, vat, gross, discount,
     lines, ship_to, note, history, version, created_at, updated_at)
select $1, given.id,
       counter.last_number - (select count(*) from given) + row_number() over (order by given.place),
       given.status, given.channel, given.owner, given.shop_id, given.checkout_id, given.payment_id, given.sale_id,
       given.net, given.vat, given.gross, given.discount, given.lines, given.ship_to, given.note, given.history,
       1, $2, $2
from given
cross join counter
returning id, number
