update catalog.image set shown = $3 where tenant_id = $1 and id = $2 and shown <> $3 returning id
