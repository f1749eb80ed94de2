-- $1 tenant, $2 consumer, $3 kinds: these and no others are asked for.
with gone as (
    delete from messages.request as r
    where r.tenant_id = $1 and r.consumer = $2 and r.kind <> all($3::text[])
)
insert into messages.request (tenant_id, kind, consumer)
select distinct $1::uuid, k.kind, $2
from unnest($3::text[]) as k (kind)
on conflict do nothing
