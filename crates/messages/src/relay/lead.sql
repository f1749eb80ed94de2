-- Leadership of this database for as long as the session lives; the number spells "relay".
select pg_try_advisory_lock(x'72656c6179'::bigint) as won
