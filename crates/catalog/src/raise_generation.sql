-- $1 tenant, $2 the new token. Holds the row until the end of the transaction: of two changes the later one's token stays.
insert into catalog.generation as kept (tenant_id, token)
values ($1, $2)
on conflict (tenant_id) do update set token = excluded.token
