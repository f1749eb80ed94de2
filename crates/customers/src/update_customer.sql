-- A change that changes nothing leaves the version as it is.
update customers.customer as c
set
    reference = $3,
    name = $4,
    email = $5,
    phone = $6,
    note = $7,
    tags = $8,
    active = $9,
    version = c.version + 1,
    updated_at = greatest($10::timestamptz, c.updated_at)
where
    c.tenant_id = $1 and c.id = $2 and c.version = $11
    and (c.reference, c.name, c.email, c.phone, c.note, c.tags, c.active)
    is distinct from ($3::text, $4::text, $5::text, $6::text, $7::text, $8::text[], $9::boolean)
returning id, reference, name, email, phone, note, tags, merged_into, active, version, created_at, updated_at
