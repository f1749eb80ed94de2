set local synchronous_commit = off;
-- Multiplies the tenant's one paid order: :'copies' of them, a hundred per customer, over the last three years.
-- Identifiers are like real ones, in the order of time. Sales and payments stay as they are: only orders are read.
insert into orders.customer_order
    (tenant_id, id, number, status, channel, owner, shop_id, checkout_id, payment_id, sale_id, net, vat, gross, discount,
     lines, ship_to, note, history, version, created_at, updated_at)
select template.tenant_id, pg_temp.uuid7(at, 'order ' || n), 1000000 + n, 'delivered', template.channel,
       'gst_' || lpad(upper(to_hex(n / 100)), 26, '0'), template.shop_id, null, null, gen_random_uuid(), template.net,
       template.vat, template.gross, template.discount, template.lines, null, '', template.history, 1, at, at
from (
    select * from orders.customer_order where tenant_id = :'tenant' order by id limit 1
) as template
cross join (
    select n, now() - interval '1095 days' * (1 - n::double precision / (:'copies')::bigint) as at
    from generate_series(0, (:'copies')::bigint - 1) as n
) as made;
