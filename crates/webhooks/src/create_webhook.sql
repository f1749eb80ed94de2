-- $1 tenant, $2 id, $3 url, $4 types, $5 description, $6 active, $7 sealed secret, $8 now, $9 most of a tenant
insert into webhooks.subscription (
    tenant_id, id, url, types, description, active, secret, created_at, updated_at
)
select $1, $2, $3, $4, $5, $6, $7, $8, $8
where (select count(*) from webhooks.subscription as s where s.tenant_id = $1 and s.deleted_at is null) < $9
returning
    id, url, types, description, active, failing_since, disabled_at, disabled_reason, old_secret_until, version, created_at,
    updated_at
