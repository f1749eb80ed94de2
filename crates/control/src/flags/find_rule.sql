select f.feature, t.slug, f.enabled, f.percentage, f.starts_at, f.ends_at, f.config, f.created_at, f.updated_at,
    f.updated_by, f.version
from control.feature_flag as f
left join control.tenant as t on t.id = f.tenant_id
where f.feature = $1 and f.tenant_id is not distinct from $2
