-- $1 feature, $2 tenant's slug, $3 and $4 after (feature, slug), $5 limit. For everybody comes before every tenant.
select f.feature, t.slug, f.enabled, f.percentage, f.starts_at, f.ends_at, f.config, f.created_at, f.updated_at,
    f.updated_by, f.version
from control.feature_flag as f
left join control.tenant as t on t.id = f.tenant_id
where ($1::text is null or f.feature = $1)
    and ($2::text is null or t.slug = $2)
    and ($3::text is null or (f.feature, coalesce(t.slug, '')) > ($3, $4::text))
order by f.feature, coalesce(t.slug, '')
limit $5
