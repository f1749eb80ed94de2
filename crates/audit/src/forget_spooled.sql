delete from audit.spooled
where tenant_id = $1 and taken_at < $2
