-- What tenants have asked certain consumers to hear (docs/adr/0024-webhooks.md): a message goes to such a consumer only
-- if its tenant has a row for its kind, or for '*', which is every kind.
create table messages.request (
    tenant_id uuid not null,
    kind text not null check (octet_length(kind) between 1 and 100),
    consumer text not null check (octet_length(consumer) between 1 and 100),
    primary key (tenant_id, kind, consumer)
);
select db.protect('messages.request');
create policy relay on messages.request to markethall_relay using (true);
grant select on messages.request to markethall_relay;
