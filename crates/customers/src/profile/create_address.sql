insert into customers.address (
    tenant_id, id, customer_id, label, name, company, lines, postal_code, city, region, country, phone,
    default_shipping, default_billing, created_at, updated_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15)
returning id, label, name, company, lines, postal_code, city, region, country, phone, default_shipping, default_billing
