delete from control.usage_day
where ctid in (select ctid from control.usage_day where day < ($1::timestamptz at time zone 'utc')::date limit $2)
