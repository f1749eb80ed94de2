-- In the order of references, so that two imports of the same customers never deadlock.
insert into customers.customer (
    tenant_id, id, reference, name, email, phone, note, active, version, created_at, updated_at
)
select $1, r.id, r.reference, '', null, null, '', true, 1, $4::timestamptz, $4::timestamptz
from unnest($2::uuid[], $3::text[]) as r (id, reference)
order by r.reference
on conflict (tenant_id, reference) do nothing
