update control.shard
set weight = $2, draining = $3, version = version + 1, updated_at = $5
where name = $1 and ($4::integer is null or version = $4)
