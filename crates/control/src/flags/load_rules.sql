select f.feature, f.tenant_id, f.enabled, f.percentage, f.starts_at, f.ends_at, f.config
from control.feature_flag as f
limit $1
