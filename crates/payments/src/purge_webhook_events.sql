-- $1 tenant, $2 now
delete from payments.webhook_event
where tenant_id = $1 and (provider, event_id) in (
    select provider, event_id
    from payments.webhook_event
    where tenant_id = $1 and received_at < $2::timestamptz - interval '30 days'
    limit 5000
)
