-- In the order of kinds and terms, so that two writers of the same terms never deadlock.
insert into catalog.term as t (tenant_id, kind, term, products, active)
select $1, c.kind::"char", c.term, c.products, c.active
from unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[]) as c (kind, term, products, active)
order by c.kind, c.term
on conflict (tenant_id, kind, term) do update
set products = t.products + excluded.products, active = t.active + excluded.active
