-- $4 is the version that was read; 0 where there was no cart, or one whose time was over. A cart made meanwhile by
-- somebody else is left alone and no row comes back.
insert into cart.cart as cart (tenant_id, owner, lines, version, created_at, updated_at, expires_at)
values ($1, $2, $3, 1, $5, $5, $6)
on conflict (tenant_id, owner) do update
set lines = excluded.lines,
    version = cart.version + 1,
    created_at = case when $4::integer = 0 then excluded.created_at else cart.created_at end,
    updated_at = excluded.updated_at,
    expires_at = excluded.expires_at
where cart.version = $4::integer or ($4::integer = 0 and cart.expires_at <= $5 and cart.checkout_id is null)
returning version
