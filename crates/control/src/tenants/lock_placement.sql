select pg_advisory_xact_lock(hashtext('control.place'))::text
