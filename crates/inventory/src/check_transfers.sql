-- The subject, what left, what arrived. $1 tenant
select 'transfer ' || reference || ', sku ' || sku as subject,
       coalesce(-sum(quantity) filter (where reason = 'transfer_out'), 0)::bigint as expected,
       coalesce(sum(quantity) filter (where reason = 'transfer_in'), 0)::bigint as found
from inventory.movement
where tenant_id = $1 and reason in ('transfer_in', 'transfer_out')
group by reference, sku
having sum(quantity) <> 0
order by subject
limit 1000
