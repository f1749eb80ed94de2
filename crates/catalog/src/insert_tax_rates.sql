insert into catalog.tax_rate (tenant_id, category, valid_from, valid_to, rate)
select $1, r.category, r.valid_from, r.valid_to, r.rate
from unnest($2::text[], $3::timestamptz[], $4::timestamptz[], $5::integer[]) as r (category, valid_from, valid_to, rate)
