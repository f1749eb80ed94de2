delete from control.feature_flag
where feature = $1 and tenant_id is not distinct from $2 and ($3::integer is null or version = $3)
