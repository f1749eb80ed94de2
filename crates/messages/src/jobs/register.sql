-- Makes rows for new jobs; a job whose schedule has changed starts anew with it.
insert into messages.job as j (name, schedule, next_run_at)
select n.name, n.schedule, n.next_run_at
from unnest($1::text[], $2::text[], $3::timestamptz[]) as n (name, schedule, next_run_at)
on conflict (name) do update
set schedule = excluded.schedule, next_run_at = excluded.next_run_at
where j.schedule <> excluded.schedule
