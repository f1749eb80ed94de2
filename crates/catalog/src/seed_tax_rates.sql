-- Only for a tenant without any rate: what a merchant has set stays as it is.
insert into catalog.tax_rate (tenant_id, category, valid_from, valid_to, rate)
select $1, r.category, '1970-01-01 00:00:00+00', null, r.rate
from (values ('standard', 2000), ('reduced', 1000), ('zero', 0)) as r (category, rate)
where not exists (select from catalog.tax_rate as t where t.tenant_id = $1)
on conflict do nothing
