select domain, version, name, checksum, applied_at
from db.migration
order by domain, version
