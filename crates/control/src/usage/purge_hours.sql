delete from control.usage_hour
where ctid in (select ctid from control.usage_hour where hour < $1 limit $2)
