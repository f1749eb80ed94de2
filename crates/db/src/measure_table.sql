-- $1 the table, $2 how many of its pages are read at most
select m.tenant_id, m.held
from db.measure($1::oid::regclass, $2) as m
order by m.tenant_id
