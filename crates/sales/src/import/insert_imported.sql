insert into sales.imported_sale (tenant_id, external_id, sale_id, fingerprint)
select $1, imported.external_id, imported.sale_id, imported.fingerprint
from unnest($2::text[], $3::uuid[], $4::uuid[]) as imported (external_id, sale_id, fingerprint)
