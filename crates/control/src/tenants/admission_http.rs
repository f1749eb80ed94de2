//! Creating a tenant, and giving one an administrator anew, over HTTP.

use axum::extract::State;
use edge::{Idempotency, Json, Operator, Path, Problem, Reply};
use garde::Validate;
use kernel::{Currency, TenantStatus, Tier};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    CreateTenant, CreateTenantError, PlacementKind, ResetAdmin, Settings, TenantView, create_tenant,
    http::id_of, reset_admin,
};
use crate::{
    Control,
    accounts::{AccountId, check_email, check_new_password, first_password},
    idempotency::{Begun, begin},
    problems::{TENANT_EXISTS, TENANT_NAME_RESERVED},
};

/// What a tenant is created from.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewTenant {
    /// The name in addresses and headers; never changes.
    #[garde(pattern("^[a-z0-9][a-z0-9-]{0,38}[a-z0-9]$"))]
    #[schema(pattern = "^[a-z0-9][a-z0-9-]{0,38}[a-z0-9]$", example = "acme")]
    slug: String,
    /// The name for people.
    #[garde(length(chars, min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// The tier.
    #[garde(skip)]
    tier: Tier,
    /// The currency of its books; never changes.
    #[garde(skip)]
    currency: Currency,
    /// The first administrator's address.
    #[garde(custom(check_email))]
    #[schema(
        pattern = "^[!#-'*+./0-9=?A-Z^-~-]{1,64}@[!#-'*+./0-9=?A-Z^-~-]{1,189}$",
        example = "ann@example.org"
    )]
    admin_email: String,
    /// Their password, 8 to 128 characters; made up when absent. An account that exists keeps its own.
    #[garde(custom(check_new_password))]
    #[schema(value_type = Option<String>, format = Password, min_length = 8, max_length = 128)]
    admin_password: Option<SecretString>,
    /// Shared or dedicated; by tier when absent: free and standard share, enterprise has its own.
    #[garde(skip)]
    placement: Option<PlacementKind>,
    /// Only a shard in this region.
    #[garde(length(max = 40))]
    #[schema(max_length = 40)]
    #[serde(default)]
    region: String,
    /// This very shard.
    #[garde(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    shard: Option<String>,
    /// How it trades.
    #[garde(dive)]
    #[serde(default)]
    settings: Settings,
}

/// A tenant just created.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewTenantView {
    #[serde(flatten)]
    tenant: TenantView,
    /// The first administrator's made-up password, if their account is new; shown this once.
    admin_password: Option<String>,
    /// The code by which an account from before takes the first administrator's place at its first sign-in here; shown
    /// this once, works once and for 7 days.
    admin_invitation_code: Option<String>,
}

/// Who shall be administrator.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AdminReset {
    /// The address they sign in with; an account is made when there is none.
    #[garde(custom(check_email))]
    #[schema(
        pattern = "^[!#-'*+./0-9=?A-Z^-~-]{1,64}@[!#-'*+./0-9=?A-Z^-~-]{1,189}$",
        example = "ann@example.org"
    )]
    email: String,
    /// Their new password, 8 to 128 characters; made up when absent. An account that is not the tenant's alone keeps
    /// its own.
    #[garde(custom(check_new_password))]
    #[schema(value_type = Option<String>, format = Password, min_length = 8, max_length = 128)]
    password: Option<SecretString>,
}

/// An administrator made anew.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AdminView {
    /// The account.
    id: AccountId,
    /// The made-up password, shown this once; null when the account keeps its own.
    password: Option<String>,
    /// The code by which an account that is not the tenant's alone takes the place at its first sign-in here; shown this
    /// once, works once and for 7 days.
    invitation_code: Option<String>,
}

pub(super) async fn create(
    State(control): State<Control>,
    Operator(caller): Operator,
    idempotency: Idempotency,
    Json(body): Json<NewTenant>,
) -> Result<Reply, Problem> {
    let workflow = match begin(&control, None, idempotency, caller.now).await? {
        Begun::Replay(reply) => return Ok(reply),
        Begun::Fresh(once) => once.into_workflow(),
    };
    let created = create_tenant(&control, &caller, body.into()).await?;
    let admin_password = created.shown_password().map(str::to_owned);
    let admin_invitation_code = created.shown_invitation().map(str::to_owned);
    let tenant = created.tenant;
    let place = format!("{}/admin/tenants/{}", edge::API_PREFIX, tenant.slug);
    let (etag, trades) = (tenant.etag(), tenant.status == TenantStatus::Active);
    let view = NewTenantView { tenant, admin_password, admin_invitation_code };
    let reply = if trades { Reply::created(place, &view) } else { Reply::accepted(place, &view) };
    workflow.finish(reply.etag(&etag)).await
}

pub(super) async fn reset(
    State(control): State<Control>,
    Operator(caller): Operator,
    Path(slug): Path<String>,
    Json(body): Json<AdminReset>,
) -> Result<Reply, Problem> {
    let (password_hash, made_up) = first_password(&control, body.password).await?;
    let tx = control.db().control().await?;
    let id = id_of(&tx, &slug).await?;
    let wanted = ResetAdmin { email: body.email, password_hash };
    let done = reset_admin(&control, caller.now, &tx, id, &wanted).await?;
    tx.commit().await?;
    let shown = |secret: SecretString| secret.expose_secret().to_owned();
    let password = made_up.filter(|_| done.password_set).map(shown);
    let invitation_code = done.invitation.map(shown);
    Ok(Reply::ok(&AdminView { id: done.account, password, invitation_code }))
}

impl From<NewTenant> for CreateTenant {
    fn from(new: NewTenant) -> Self {
        Self {
            slug: new.slug,
            name: new.name,
            tier: new.tier,
            currency: new.currency,
            settings: new.settings.0,
            placement: new.placement,
            region: new.region,
            shard: new.shard,
            admin_email: new.admin_email,
            admin_password: new.admin_password,
        }
    }
}

impl From<CreateTenantError> for Problem {
    fn from(error: CreateTenantError) -> Self {
        match error {
            CreateTenantError::Exists(_) => Self::new(TENANT_EXISTS),
            CreateTenantError::Reserved(_) => Self::new(TENANT_NAME_RESERVED),
            CreateTenantError::Password(error) => error.into(),
            CreateTenantError::Database(error) => error.into(),
        }
    }
}
