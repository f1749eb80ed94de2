-- No row when the code is taken. Without a code the next free R01, R02, ... is given.
with chosen as (
    select coalesce(
        $5::text,
        (select 'R' || case when length(number::text) < 2 then '0' else '' end || number
         from generate_series(1, 9999) as number
         where not exists (
             select 1
             from sales.register
             where register.tenant_id = $1 and register.shop_id = $3
               and register.code = 'R' || case when length(number::text) < 2 then '0' else '' end || number)
         limit 1)
    ) as code
)
insert into sales.register (tenant_id, id, shop_id, code, name, receipt_prefix, created_at)
select $1, $2, $3, code, coalesce($6::text, code), $4 || '-' || code || '-', $7
from chosen
on conflict do nothing
returning id, shop_id, code, name, receipt_prefix, created_at
