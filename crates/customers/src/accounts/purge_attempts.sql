delete from customers.attempt
where tenant_id = $1 and subject in (
    select a.subject
    from customers.attempt as a
    where a.tenant_id = $1 and a.since < $2
    order by a.since
    limit $3
)
