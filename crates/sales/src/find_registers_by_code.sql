select register.id, register.shop_id, register.code, register.name, register.receipt_prefix, register.created_at
from unnest($2::uuid[], $3::text[]) as wanted (shop_id, code)
join sales.register on register.tenant_id = $1 and register.shop_id = wanted.shop_id and register.code = wanted.code
