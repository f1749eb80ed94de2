-- $1 tenant, $2 what a chain begins with. Whoever writes to a chain waits here for whoever does so already.
insert into audit.head as head (tenant_id, first_hash, last_hash)
values ($1, $2, $2)
on conflict (tenant_id) do update set last_seq = head.last_seq
returning last_seq, last_hash
