-- The newest message there is behind $1, and an id younger than every transaction that can have drawn a smaller number:
-- a publisher has its transaction id before it draws. Once all older transactions have ended, no message up to
-- `newest` can appear any more. `settled`: that is so already, because none was running when this looked.
select
    m.newest,
    x.fence::text::bigint as fence,
    pg_snapshot_xmin(pg_current_snapshot()) = x.fence as settled
from
    (select max(o.seq) as newest from messages.outbox as o) as m,
    lateral (select pg_current_xact_id() as fence where m.newest > $1 offset 0) as x
