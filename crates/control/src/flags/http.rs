//! Routes of feature flags: the operator decides, tenants see what is on for them.

use axum::extract::State;
use edge::{
    FieldError, IfMatch, Json, Op, Operator, Path, Path2, Problem, Query, Reply, Routes, SecurityEventKind,
    Tenanted, codes,
    page::{Cursor, Limit, Page},
};
use garde::Validate;
use kernel::{Caller, TenantId, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::{
    ClearRuleError, Feature, FeatureRule, FeatureState, RuleFilter, SetRule, SetRuleError, clear_rule,
    config, find_rule, list_rules, set_rule, store::MOST,
};
use crate::{
    Control,
    permissions::PLATFORM_FLAGS,
    problems::{TOO_MANY, UNKNOWN_FEATURE},
    tenants::find_tenant,
};

/// What shall be decided about a feature.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RuleChange {
    /// Whether it is on at all.
    #[garde(skip)]
    enabled: bool,
    /// For how many of a hundred it is on: of the tenants, or of their customers where the feature asks for each of
    /// them. Raising it never switches anybody off.
    #[garde(range(max = 100))]
    #[schema(minimum = 0, maximum = 100, default = 100)]
    #[serde(default = "all")]
    percentage: u8,
    /// It holds from here on; before, it is as if nothing had been decided.
    #[garde(skip)]
    #[schema(value_type = Option<String>, format = DateTime)]
    starts_at: Option<Timestamp>,
    /// It holds until before this; afterwards it is as if nothing had been decided.
    #[garde(skip)]
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Timestamp>,
    /// What the code that asks is told besides. Whoever is signed in to the tenant can read it.
    #[garde(skip)]
    #[schema(schema_with = config::schema)]
    config: Option<Map<String, Value>>,
}

fn all() -> u8 {
    100
}

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct RuleQuery {
    /// Only about this feature.
    #[garde(inner(length(chars, min = 1, max = 50)))]
    #[param(min_length = 1, max_length = 50)]
    feature: Option<String>,
    /// Only for the tenant of this slug.
    #[garde(inner(length(chars, min = 2, max = 40)))]
    #[param(min_length = 2, max_length = 40)]
    tenant: Option<String>,
    /// How many items at most.
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `nextCursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StateQuery {
    /// As it is for this thing or person, by identifier: for features that are rolled out within a tenant.
    #[garde(inner(length(chars, min = 1, max = 100)))]
    #[param(min_length = 1, max_length = 100)]
    subject: Option<String>,
}

pub(crate) fn routes() -> Routes<Control> {
    of_tenants(of_everybody(Routes::new("Feature flags")))
        .add(
            Op::get("/admin/features", "list_features", "The features that can be switched")
                .platform(PLATFORM_FLAGS)
                .returns::<Page<Feature>>(200),
            list_features,
        )
        .add(
            Op::get("/admin/feature-flags", "list_feature_flags", "What is decided about features")
                .description("By feature and slug; what holds for everybody comes first and has no tenant.")
                .platform(PLATFORM_FLAGS)
                .returns::<Page<FeatureRule>>(200),
            list,
        )
        .add(
            Op::get("/feature-flags", "list_own_feature_flags", "What is switched on for the tenant now")
                .description("For pages and programs. Every feature once; the same answer as the program's own code gets.")
                .authenticated()
                .returns::<Page<FeatureState>>(200),
            list_own,
        )
}

fn of_everybody(routes: Routes<Control>) -> Routes<Control> {
    let path = "/admin/feature-flags/{feature}";
    routes
        .add(
            Op::get(path, "get_feature_default", "What is decided about a feature for everybody")
                .platform(PLATFORM_FLAGS)
                .returns::<FeatureRule>(200)
                .etag(),
            get_for_all,
        )
        .add(
            Op::put(
                path,
                "put_feature_default",
                "Decide about a feature for all without a decision of their own",
            )
            .description("At once in every process.")
            .platform(PLATFORM_FLAGS)
            .security_event(SecurityEventKind::FlagChanged)
            .returns::<FeatureRule>(200)
            .returns::<FeatureRule>(201)
            .etag()
            .problems(&[UNKNOWN_FEATURE, TOO_MANY]),
            put_for_all,
        )
        .add(
            Op::delete(path, "delete_feature_default", "Take back what was decided for everybody")
                .platform(PLATFORM_FLAGS)
                .security_event(SecurityEventKind::FlagChanged)
                .returns_nothing(204),
            delete_for_all,
        )
}

fn of_tenants(routes: Routes<Control>) -> Routes<Control> {
    let path = "/admin/feature-flags/{tenant}/{feature}";
    routes
        .add(
            Op::get(path, "get_feature_flag", "What is decided about a feature for one tenant")
                .platform(PLATFORM_FLAGS)
                .returns::<FeatureRule>(200)
                .etag(),
            get,
        )
        .add(
            Op::put(path, "put_feature_flag", "Decide about a feature for one tenant")
                .description("At once in every process. Comes before what is decided for everybody.")
                .platform(PLATFORM_FLAGS)
                .security_event(SecurityEventKind::FlagChanged)
                .returns::<FeatureRule>(200)
                .returns::<FeatureRule>(201)
                .etag()
                .problems(&[UNKNOWN_FEATURE, TOO_MANY]),
            put,
        )
        .add(
            Op::delete(path, "delete_feature_flag", "Take back what was decided for one tenant")
                .platform(PLATFORM_FLAGS)
                .security_event(SecurityEventKind::FlagChanged)
                .returns_nothing(204),
            delete,
        )
}

async fn list_features(State(control): State<Control>, Operator(caller): Operator) -> Result<Reply, Problem> {
    let items = control.features(caller.now);
    Ok(Reply::ok(&Page { items, next_cursor: None }))
}

async fn list(
    State(control): State<Control>,
    Operator(_): Operator,
    Query(query): Query<RuleQuery>,
) -> Result<Reply, Problem> {
    let RuleQuery { feature, tenant, limit, cursor } = query;
    let after = cursor.as_ref().map(Cursor::key).transpose()?;
    let tx = control.db().control().await?;
    let rules = list_rules(&tx, &RuleFilter { feature, tenant, after, limit: limit.sql() }).await?;
    tx.commit().await?;
    let key = |rule: &FeatureRule| (rule.feature.clone(), rule.tenant.clone().unwrap_or_default());
    Ok(Reply::ok(&Page::from_rows(rules, limit, key)))
}

async fn list_own(
    State(control): State<Control>,
    Tenanted(ctx): Tenanted,
    Query(query): Query<StateQuery>,
) -> Result<Reply, Problem> {
    let subject = query.subject.as_deref();
    let state = |flag: &kernel::Flag| FeatureState {
        feature: flag.name,
        about: flag.about,
        on: subject.map_or_else(|| ctx.flags().on(*flag), |subject| ctx.flags().on_for(*flag, subject)),
        config: ctx.flags().config(*flag, subject).map(|config| (*config).clone()),
    };
    let items = control.flag_store().declared().iter().map(state).collect();
    Ok(Reply::ok(&Page { items, next_cursor: None }))
}

async fn get_for_all(
    State(control): State<Control>,
    Operator(_): Operator,
    Path(feature): Path<String>,
) -> Result<Reply, Problem> {
    show(&control, &feature, None).await
}

async fn get(
    State(control): State<Control>,
    Operator(_): Operator,
    Path2(slug, feature): Path2<String, String>,
) -> Result<Reply, Problem> {
    show(&control, &feature, Some(&slug)).await
}

async fn put_for_all(
    State(control): State<Control>,
    Operator(caller): Operator,
    Path(feature): Path<String>,
    if_match: IfMatch,
    Json(body): Json<RuleChange>,
) -> Result<Reply, Problem> {
    change(&control, &caller, &feature, None, if_match.version()?, body).await
}

async fn put(
    State(control): State<Control>,
    Operator(caller): Operator,
    Path2(slug, feature): Path2<String, String>,
    if_match: IfMatch,
    Json(body): Json<RuleChange>,
) -> Result<Reply, Problem> {
    change(&control, &caller, &feature, Some(&slug), if_match.version()?, body).await
}

async fn delete_for_all(
    State(control): State<Control>,
    Operator(_): Operator,
    Path(feature): Path<String>,
    if_match: IfMatch,
) -> Result<Reply, Problem> {
    clear(&control, &feature, None, if_match.version()?).await
}

async fn delete(
    State(control): State<Control>,
    Operator(_): Operator,
    Path2(slug, feature): Path2<String, String>,
    if_match: IfMatch,
) -> Result<Reply, Problem> {
    clear(&control, &feature, Some(&slug), if_match.version()?).await
}

/// The tenant of `slug`; none for everybody.
async fn tenant_of(tx: &db::ControlTx, slug: Option<&str>) -> Result<Option<TenantId>, Problem> {
    match slug {
        Some(slug) => Ok(Some(find_tenant(tx, slug).await?.ok_or_else(Problem::not_found)?.id)),
        None => Ok(None),
    }
}

async fn show(control: &Control, feature: &str, slug: Option<&str>) -> Result<Reply, Problem> {
    let tx = control.db().control().await?;
    let tenant = tenant_of(&tx, slug).await?;
    let rule = find_rule(&tx, feature, tenant).await?.ok_or_else(Problem::not_found)?;
    tx.commit().await?;
    Ok(Reply::ok(&rule).etag(&rule.version.to_string()))
}

async fn change(
    control: &Control,
    caller: &Caller,
    feature: &str,
    slug: Option<&str>,
    version: Option<i32>,
    body: RuleChange,
) -> Result<Reply, Problem> {
    let RuleChange { enabled, percentage, starts_at, ends_at, config } = body;
    let wanted = SetRule { enabled, percentage, starts_at, ends_at, config, version };
    let tx = control.db().control().await?;
    let tenant = tenant_of(&tx, slug).await?;
    let (rule, is_first) = set_rule(control, caller, &tx, feature, tenant, wanted).await?;
    tx.commit().await?;
    apply_here(control).await;
    let place = slug.map_or_else(|| feature.to_owned(), |slug| format!("{slug}/{feature}"));
    let place = format!("{}/admin/feature-flags/{place}", edge::API_PREFIX);
    let reply = if is_first { Reply::created(place, &rule) } else { Reply::ok(&rule) };
    Ok(reply.etag(&rule.version.to_string()))
}

async fn clear(
    control: &Control,
    feature: &str,
    slug: Option<&str>,
    version: Option<i32>,
) -> Result<Reply, Problem> {
    let tx = control.db().control().await?;
    let tenant = tenant_of(&tx, slug).await?;
    clear_rule(control, &tx, feature, tenant, version).await?;
    tx.commit().await?;
    apply_here(control).await;
    Ok(Reply::no_content())
}

/// So that whoever has the answer sees the effect in this process. It is committed either way, and read again soon.
async fn apply_here(control: &Control) {
    if let Err(error) = control.refresh_flags().await {
        tracing::warn!(%error, "feature flags cannot be read; those known are used on");
    }
}

impl From<SetRuleError> for Problem {
    fn from(error: SetRuleError) -> Self {
        match error {
            SetRuleError::UnknownFeature(names) => {
                Self::new(UNKNOWN_FEATURE).detail(format!("There are: {names}."))
            }
            SetRuleError::Invalid(field, detail) => {
                Self::invalid([FieldError::pointer(format!("/{field}"), codes::INVALID_VALUE, detail)])
            }
            SetRuleError::Changed => Self::new(codes::PRECONDITION_FAILED),
            SetRuleError::TooMany => {
                Self::new(TOO_MANY).detail(format!("There are at most {MOST} decisions in all."))
            }
            SetRuleError::Database(error) => error.into(),
        }
    }
}

impl From<ClearRuleError> for Problem {
    fn from(error: ClearRuleError) -> Self {
        match error {
            ClearRuleError::NotFound => Self::not_found(),
            ClearRuleError::Changed => Self::new(codes::PRECONDITION_FAILED),
            ClearRuleError::Database(error) => error.into(),
        }
    }
}
