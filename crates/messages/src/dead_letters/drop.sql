delete from messages.dead_letter where id = $1 returning id
