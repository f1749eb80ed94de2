//! Routes of tenants, for operators.

use axum::extract::State;
use edge::{
    IfMatch, Json, Op, Operator, Path, Problem, Query, Reply, Routes, SecurityEventKind,
    page::{Cursor, Limit, Page},
};
use garde::Validate;
use kernel::{TenantId, TenantStatus, Tier};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    Settings, SuspendError, TenantFilter, TenantView, UpdateTenant, UpdateTenantError,
    admission_http::{AdminView, NewTenantView, create, reset},
    find_tenant, list_tenants, resume_tenant, suspend_tenant, update_tenant,
};
use crate::{
    Control,
    permissions::PLATFORM_TENANTS,
    problems::{SIGN_IN_BUSY, TENANT_EXISTS, TENANT_NAME_RESERVED, TENANT_NOT_READY},
};

/// How a tenant shall be.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TenantChange {
    /// The name for people.
    #[garde(length(chars, min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// The tier; where the data lives stays the same.
    #[garde(skip)]
    tier: Tier,
    /// How it trades, from the next sale on; unchanged when absent.
    #[garde(dive)]
    settings: Option<Settings>,
}

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct TenantQuery {
    /// Only those that stand there.
    #[param(inline)]
    status: Option<TenantStatus>,
    /// How many items at most.
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `nextCursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

pub(super) fn routes() -> Routes<Control> {
    Routes::new("Tenants")
        .add(
            Op::get("/admin/tenants", "list_tenants", "Tenants in the order of their names")
                .platform(PLATFORM_TENANTS)
                .returns::<Page<TenantView>>(200),
            list,
        )
        .add(
            Op::post("/admin/tenants", "create_tenant", "Create a tenant and set it up")
                .description(
                    "201 when it trades; 202 when a step failed or another request is at work: `provisioning` says \
                     which. It is tried again by itself, and by repeating the request. An administrator who has an account \
                     already is invited and signs in first with `adminInvitationCode`.",
                )
                .platform(PLATFORM_TENANTS)
                .returns::<NewTenantView>(201)
                .returns::<NewTenantView>(202)
                .etag()
                .problems(&[TENANT_EXISTS, TENANT_NAME_RESERVED, SIGN_IN_BUSY]),
            create,
        )
        .add(
            Op::get("/admin/tenants/{slug}", "get_tenant", "One tenant")
                .platform(PLATFORM_TENANTS)
                .returns::<TenantView>(200)
                .etag(),
            get,
        )
        .add(
            Op::put("/admin/tenants/{slug}", "update_tenant", "Change a tenant's name, tier or settings")
                .platform(PLATFORM_TENANTS)
                .returns::<TenantView>(200)
                .etag(),
            update,
        )
        .add(
            Op::post("/admin/tenants/{slug}/admin", "reset_tenant_admin", "Give a tenant an administrator anew")
                .description(
                    "For merchants who have locked themselves out: makes the person an administrator with a new \
                     password and ends all their sign-ins. An account that is not the tenant's alone keeps its \
                     password and is invited instead.",
                )
                .platform(PLATFORM_TENANTS)
                .security_event(SecurityEventKind::RoleChanged)
                .returns::<AdminView>(200)
                .problems(&[SIGN_IN_BUSY]),
            reset,
        )
        .add(
            Op::post("/admin/tenants/{slug}/suspend", "suspend_tenant", "Stop a tenant at once")
                .platform(PLATFORM_TENANTS)
                .returns::<TenantView>(200)
                .etag()
                .problems(&[TENANT_NOT_READY]),
            suspend,
        )
        .add(
            Op::post("/admin/tenants/{slug}/resume", "resume_tenant", "Let a suspended tenant trade again")
                .platform(PLATFORM_TENANTS)
                .returns::<TenantView>(200)
                .etag()
                .problems(&[TENANT_NOT_READY]),
            resume,
        )
}

async fn list(
    State(control): State<Control>,
    Operator(_): Operator,
    Query(query): Query<TenantQuery>,
) -> Result<Reply, Problem> {
    let after: Option<String> = query.cursor.as_ref().map(Cursor::key).transpose()?;
    let tx = control.db().control().await?;
    let filter = TenantFilter { status: query.status, after, limit: query.limit.sql() };
    let tenants = list_tenants(&tx, &filter).await?;
    tx.commit().await?;
    Ok(Reply::ok(&Page::from_rows(tenants, query.limit, |tenant| tenant.slug.clone())))
}

async fn get(
    State(control): State<Control>,
    Operator(_): Operator,
    Path(slug): Path<String>,
) -> Result<Reply, Problem> {
    let tx = control.db().control().await?;
    let tenant = find_tenant(&tx, &slug).await?.ok_or_else(Problem::not_found)?;
    tx.commit().await?;
    Ok(reply(&tenant))
}

async fn update(
    State(control): State<Control>,
    Operator(caller): Operator,
    Path(slug): Path<String>,
    if_match: IfMatch,
    Json(body): Json<TenantChange>,
) -> Result<Reply, Problem> {
    let tx = control.db().control().await?;
    let id = id_of(&tx, &slug).await?;
    let wanted = UpdateTenant {
        name: Some(body.name),
        tier: Some(body.tier),
        settings: body.settings.map(|settings| settings.0),
        version: if_match.version()?,
    };
    let tenant = update_tenant(&control, caller.now, &tx, id, wanted).await?;
    tx.commit().await?;
    Ok(reply(&tenant))
}

async fn suspend(
    State(control): State<Control>,
    Operator(caller): Operator,
    Path(slug): Path<String>,
) -> Result<Reply, Problem> {
    let tx = control.db().control().await?;
    let id = id_of(&tx, &slug).await?;
    let tenant = suspend_tenant(&control, caller.now, &tx, id).await?;
    tx.commit().await?;
    Ok(reply(&tenant))
}

async fn resume(
    State(control): State<Control>,
    Operator(caller): Operator,
    Path(slug): Path<String>,
) -> Result<Reply, Problem> {
    let tx = control.db().control().await?;
    let id = id_of(&tx, &slug).await?;
    let tenant = resume_tenant(&control, caller.now, &tx, id).await?;
    tx.commit().await?;
    Ok(reply(&tenant))
}

fn reply(tenant: &TenantView) -> Reply {
    Reply::ok(tenant).etag(&tenant.etag())
}

pub(super) async fn id_of(tx: &db::ControlTx, slug: &str) -> Result<TenantId, Problem> {
    Ok(find_tenant(tx, slug).await?.ok_or_else(Problem::not_found)?.id)
}

impl From<UpdateTenantError> for Problem {
    fn from(error: UpdateTenantError) -> Self {
        match error {
            UpdateTenantError::NotFound => Self::not_found(),
            UpdateTenantError::Changed => Self::new(edge::codes::PRECONDITION_FAILED),
            UpdateTenantError::Database(error) => error.into(),
        }
    }
}

impl From<SuspendError> for Problem {
    fn from(error: SuspendError) -> Self {
        match error {
            SuspendError::NotFound => Self::not_found(),
            SuspendError::NotPossible(status) => {
                Self::new(TENANT_NOT_READY).detail(format!("It is {status}."))
            }
            SuspendError::Database(error) => error.into(),
        }
    }
}
