-- Not while the tenant has too many that nobody shows.
insert into catalog.image (tenant_id, id, product_id, shown, created_at)
select $1, $2, $3, false, $4
where (
    select count(*)
    from (select from catalog.image where tenant_id = $1 and not shown limit $5) as left_behind
) < $5
returning id
