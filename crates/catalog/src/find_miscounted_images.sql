-- Products that list another number of images than there are files known as shown by them.
select
    p.sku, coalesce(jsonb_array_length(p.images), 0)::bigint as listed, coalesce(f.files, 0) as known
from catalog.product as p
left join (
    select product_id, count(*) as files
    from catalog.image
    where tenant_id = $1 and shown
    group by product_id
) as f on f.product_id = p.id
where p.tenant_id = $1 and coalesce(jsonb_array_length(p.images), 0) <> coalesce(f.files, 0)
order by p.sku
limit 100
