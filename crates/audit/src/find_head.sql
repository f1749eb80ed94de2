select first_seq, first_hash, last_seq, last_hash
from audit.head
where tenant_id = $1
