-- Whichever constraint somebody who adds the same at the same time meets first: both find it then.
insert into sales.register (tenant_id, id, shop_id, code, name, receipt_prefix, created_at)
select $1, wanted.id, wanted.shop_id, wanted.code, wanted.code, wanted.shop_code || '-' || wanted.code || '-', $6
from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[]) as wanted (id, shop_id, shop_code, code)
on conflict do nothing
