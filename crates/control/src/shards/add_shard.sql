insert into control.shard (name, region, weight, purpose, draining, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $6)
on conflict (name) do nothing
