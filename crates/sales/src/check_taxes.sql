with stored as (
    select sale.id, (tax ->> 0)::int as rate, (tax ->> 1)::bigint as net, (tax ->> 2)::bigint as vat
    from sales.sale
    cross join jsonb_array_elements(taxes) as tax
    where tenant_id = $1
),
summed as (
    select sale_id, vat_rate as rate, sum(net) as net, sum(vat) as vat
    from sales.sale_line
    where tenant_id = $1
    group by sale_id, vat_rate
)
select coalesce(stored.id, summed.sale_id)::text as subject,
       format('rate %s: tax line says net %s vat %s, the lines say %s %s', coalesce(stored.rate, summed.rate),
              stored.net, stored.vat, summed.net, summed.vat) as detail
from stored
full join summed on summed.sale_id = stored.id and summed.rate = stored.rate
where stored.id is null or summed.sale_id is null or stored.net <> summed.net or stored.vat <> summed.vat
limit $2
