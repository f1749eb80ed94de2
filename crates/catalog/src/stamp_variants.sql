-- Variants are never deleted and versions only grow, so that every change of a variant gives another sum.
select coalesce(sum(version), 0)::bigint as stamp
from catalog.product
where tenant_id = $1 and parent_id = $2
