-- Conditions that are not asked for fall away when the statement is planned with its parameters.
-- $3 reference, $4 active, $5 tag, $6 what name or address of mail begin with, in lower case
select id, reference, name, email, phone, note, tags, merged_into, active, version, created_at, updated_at
from customers.customer
where
    tenant_id = $1 and id > $2
    and ($3::text is null or reference = $3)
    and ($4::boolean is null or active = $4)
    and ($5::text is null or $5 = any(tags))
    and ($6::text is null or starts_with(lower(name), $6) or starts_with(lower(email), $6))
order by id
limit $7
