insert into customers.customer (
    tenant_id, id, reference, name, email, phone, note, tags, active, version, created_at, updated_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $10)
returning id, reference, name, email, phone, note, tags, merged_into, active, version, created_at, updated_at
