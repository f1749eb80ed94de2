-- $1 tenant, $2 provider, $3 sealed credentials, $4 names of what is set, $5 now
insert into payments.provider_account as account
    (tenant_id, provider, sealed, hint, version, created_at, updated_at)
values ($1, $2, $3, $4, 1, $5, $5)
on conflict (tenant_id, provider) do update
set sealed = excluded.sealed, hint = excluded.hint, version = account.version + 1, updated_at = excluded.updated_at
