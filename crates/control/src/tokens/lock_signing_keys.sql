select pg_advisory_xact_lock(hashtext('control.signing_key'))::text
