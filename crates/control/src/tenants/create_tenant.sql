with made as (
    insert into control.tenant (
        id, slug, name, tier, status, currency, settings, region, dedicated, created_at, updated_at
    )
    values ($1, $2, $3, $4, 'provisioning', $5, $6, $7, $8, $9, $9)
    returning id
)
insert into control.provisioning (
    tenant_id, step, admin_email, admin_password, wanted_shard, claimed_by, claimed_until, next_attempt_at, started_at
)
select id, 'place', $10, $11, $12, $13, $14, $9, $9
from made
