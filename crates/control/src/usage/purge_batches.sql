delete from control.usage_batch
where id in (select id from control.usage_batch where saved_at < $1 limit $2)
