-- Takes note of an event; no row comes back when it is known. $1 tenant, $2 provider, $3 event, $4 payment, $5 now
insert into payments.webhook_event (tenant_id, provider, event_id, payment_id, received_at)
values ($1, $2, $3, $4, $5)
on conflict (tenant_id, provider, event_id) do nothing
returning event_id
