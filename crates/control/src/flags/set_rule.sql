-- $1 feature, $2 tenant, $3 enabled, $4 percentage, $5 starts, $6 ends, $7 config, $8 now, $9 who, $10 version that it
-- must have, $11 the most there may be. No row when the version is another or there are too many.
insert into control.feature_flag as f (
    feature, tenant_id, enabled, percentage, starts_at, ends_at, config, created_at, updated_at, updated_by
)
select $1, $2, $3, $4, $5, $6, $7, $8, $8, $9
where exists (select 1 from control.feature_flag where feature = $1 and tenant_id is not distinct from $2)
    or ($10::integer is null and (select count(*) from control.feature_flag) < $11)
on conflict on constraint feature_flag_unique do update
set enabled = excluded.enabled,
    percentage = excluded.percentage,
    starts_at = excluded.starts_at,
    ends_at = excluded.ends_at,
    config = excluded.config,
    version = f.version + 1,
    updated_at = excluded.updated_at,
    updated_by = excluded.updated_by
where $10::integer is null or f.version = $10
returning f.version
