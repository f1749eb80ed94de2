-- Repeating what is so leaves the version as it is.
insert into customers.loyalty_rule as r (
    tenant_id, active, earn_points, earn_per_amount, burn_points, burn_amount, expiry_months, version, updated_at,
    active_since, read_to
)
values ($1, $2, $3, $4, $5, $6, $7, 1, $8, case when $2 then $8::timestamptz end, $9)
on conflict (tenant_id) do update
set
    active = excluded.active,
    earn_points = excluded.earn_points,
    earn_per_amount = excluded.earn_per_amount,
    burn_points = excluded.burn_points,
    burn_amount = excluded.burn_amount,
    expiry_months = excluded.expiry_months,
    version = r.version + case
        when (r.active, r.earn_points, r.earn_per_amount, r.burn_points, r.burn_amount, r.expiry_months)
            is distinct from (
                excluded.active, excluded.earn_points, excluded.earn_per_amount, excluded.burn_points,
                excluded.burn_amount, excluded.expiry_months
            ) then 1
        else 0
    end,
    updated_at = excluded.updated_at,
    active_since = case when r.active and excluded.active then r.active_since else excluded.active_since end,
    read_to = case when r.active and excluded.active then r.read_to else excluded.read_to end
returning active, earn_points, earn_per_amount, burn_points, burn_amount, expiry_months, version
