with gone as (
    delete from messages.inbox as i
    where i.ctid = any(array(select o.ctid from messages.inbox as o where o.handled_at < $1 limit $2))
    returning i.message_id
)
select count(*) as gone from gone
