delete from checkout.checkout
where tenant_id = $1 and id in (
    select id
    from checkout.checkout
    where tenant_id = $1 and finished_at < $2
    limit 5000
)
