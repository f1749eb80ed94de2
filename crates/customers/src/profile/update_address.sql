update customers.address
set
    label = $4,
    name = $5,
    company = $6,
    lines = $7,
    postal_code = $8,
    city = $9,
    region = $10,
    country = $11,
    phone = $12,
    default_shipping = $13,
    default_billing = $14,
    updated_at = $15
where tenant_id = $1 and id = $2 and customer_id = $3
returning id, label, name, company, lines, postal_code, city, region, country, phone, default_shipping, default_billing
