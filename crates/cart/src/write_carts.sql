-- $1 tenant, $2 now, $3 expiry; carts: $4 owners, $5 lines, $6 the versions that were read under their lock, 0 where there
-- was no cart or one whose time was over, $7 the versions from now on. A cart made meanwhile by somebody else is left
-- alone and has no row in the result. A row that this transaction wrote bears its number as `xmin`.
with given as materialized (
    select owner, lines, base, version
    from unnest($4::text[], $5::jsonb[], $6::integer[], $7::integer[]) as given (owner, lines, base, version)
),
changed as (
    update cart.cart
    set lines = given.lines, version = given.version, updated_at = $2, expires_at = $3
    from given
    where cart.tenant_id = $1 and cart.owner = given.owner and given.base > 0
    returning cart.owner, cart.updated_at, cart.expires_at
),
made as (
    insert into cart.cart as cart (tenant_id, owner, lines, version, created_at, updated_at, expires_at)
    select $1, owner, lines, version, $2, $2, $3
    from given
    where base = 0
    order by owner
    on conflict (tenant_id, owner) do update
    set lines = excluded.lines,
        version = excluded.version,
        created_at = excluded.created_at,
        updated_at = excluded.updated_at,
        expires_at = excluded.expires_at
    where cart.expires_at <= $2 and cart.checkout_id is null
    returning cart.owner, cart.updated_at, cart.expires_at
)
select owner, updated_at, expires_at, pg_current_xact_id()::xid::text as row_state from changed
union all
select owner, updated_at, expires_at, pg_current_xact_id()::xid::text as row_state from made
