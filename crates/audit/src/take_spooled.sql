-- $1 tenant, $2 file, $3 its last line now, $4 now. No row where that line was taken before.
insert into audit.spooled as spooled (tenant_id, file, line, taken_at)
values ($1, $2, $3, $4)
on conflict (tenant_id, file) do update set line = excluded.line, taken_at = excluded.taken_at
where spooled.line < excluded.line
