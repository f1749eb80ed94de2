//! Routes of the staff.

use axum::extract::State;
use edge::{
    Idempotency, IfMatch, Json, Op, Path, Problem, Query, Reply, Routes, SecurityEventKind, Tenanted,
    page::{Cursor, Limit, Page},
};
use garde::Validate;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ChangeStaff, ChangeStaffError, StaffMember, StaffStatus, TakeOn, TakeOnError, TakenOn, change_staff,
    find_staff, list_staff, take_on,
};
use crate::{
    Control,
    accounts::{AccountId, check_email, check_new_password, first_password},
    idempotency::{Begun, begin},
    permissions::{STAFF_READ, STAFF_WRITE},
    problems::{
        ACCOUNT_SHARED, LAST_ADMIN, PERMISSION_BEYOND_YOURS, SIGN_IN_BUSY, STAFF_EXISTS, UNKNOWN_ROLE,
    },
};

/// Whom to take on.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewStaff {
    /// The address they sign in with.
    #[garde(custom(check_email))]
    #[schema(
        pattern = "^[!#-'*+./0-9=?A-Z^-~-]{1,64}@[!#-'*+./0-9=?A-Z^-~-]{1,189}$",
        example = "ann@example.org"
    )]
    email: String,
    /// Their name; an account that exists keeps its own.
    #[garde(length(chars, max = 200))]
    #[schema(max_length = 200)]
    #[serde(default)]
    name: String,
    /// Their role; never more than you may do yourself.
    #[garde(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40, example = "cashier")]
    role: String,
    /// A first password for a new account, 8 to 128 characters; made up when absent. An account that exists keeps
    /// its own.
    #[garde(custom(check_new_password))]
    #[schema(value_type = Option<String>, format = Password, min_length = 8, max_length = 128)]
    password: Option<SecretString>,
}

/// How somebody's place shall be.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StaffChange {
    /// Their role.
    #[garde(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    role: String,
    /// Whether they work.
    #[garde(skip)]
    active: bool,
    /// A new password, for an account that this tenant made and that has no place elsewhere.
    #[garde(custom(check_new_password))]
    #[schema(value_type = Option<String>, format = Password, min_length = 8, max_length = 128)]
    password: Option<SecretString>,
}

/// Somebody taken on.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct NewStaffMember {
    #[serde(flatten)]
    member: StaffMember,
    /// The made-up first password of a new account, shown this once.
    initial_password: Option<String>,
    /// The code by which somebody invited takes the place at their first sign-in here; shown this once, works once and
    /// for 7 days.
    invitation_code: Option<String>,
}

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct StaffQuery {
    /// Only those who stand there.
    #[param(inline)]
    status: Option<StaffStatus>,
    /// How many items at most.
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `nextCursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

pub(crate) fn routes() -> Routes<Control> {
    Routes::new("Staff")
        .add(
            Op::get("/staff", "list_staff", "Who works for the tenant")
                .permission(STAFF_READ)
                .returns::<Page<StaffMember>>(200),
            list,
        )
        .add(
            Op::post("/staff", "create_staff", "Take somebody on the staff")
                .description(
                    "A person without an account gets one. One who has an account is invited: the place counts once \
                     they sign in naming this tenant and giving `invitationCode`. Repeated before that, the request \
                     makes a new code and ends the old one.",
                )
                .permission(STAFF_WRITE)
                .security_event(SecurityEventKind::RoleChanged)
                .returns::<NewStaffMember>(201)
                .etag()
                .problems(&[STAFF_EXISTS, UNKNOWN_ROLE, PERMISSION_BEYOND_YOURS, SIGN_IN_BUSY]),
            create,
        )
        .add(
            Op::get("/staff/{id}", "get_staff", "One of the staff")
                .permission(STAFF_READ)
                .returns::<StaffMember>(200)
                .etag(),
            get,
        )
        .add(
            Op::put("/staff/{id}", "update_staff", "Change somebody's role, dismiss them or take them back")
                .permission(STAFF_WRITE)
                .security_event(SecurityEventKind::RoleChanged)
                .returns::<StaffMember>(200)
                .etag()
                .problems(&[LAST_ADMIN, UNKNOWN_ROLE, PERMISSION_BEYOND_YOURS, ACCOUNT_SHARED, SIGN_IN_BUSY]),
            update,
        )
}

fn reply(member: &StaffMember) -> Reply {
    Reply::ok(member).etag(&member.version.to_string())
}

async fn list(
    State(control): State<Control>,
    Tenanted(ctx): Tenanted,
    Query(query): Query<StaffQuery>,
) -> Result<Reply, Problem> {
    let after: Option<AccountId> = query.cursor.as_ref().map(Cursor::key).transpose()?;
    let tx = control.db().control().await?;
    let staff = list_staff(&tx, ctx.tenant_id(), query.status, after, query.limit.sql()).await?;
    tx.commit().await?;
    Ok(Reply::ok(&Page::from_rows(staff, query.limit, |member| member.id)))
}

async fn create(
    State(control): State<Control>,
    Tenanted(ctx): Tenanted,
    idempotency: Idempotency,
    Json(body): Json<NewStaff>,
) -> Result<Reply, Problem> {
    let (password_hash, made_up) = first_password(&control, body.password).await?;
    let wanted = TakeOn { email: body.email, name: body.name, role: body.role, password_hash };
    let once = match begin(&control, Some(ctx.tenant_id()), idempotency, ctx.now()).await? {
        Begun::Replay(reply) => return Ok(reply),
        Begun::Fresh(once) => once,
    };
    let TakenOn { member, invitation } = take_on(&control, &ctx, once.tx(), wanted).await?;
    let shown = |secret: SecretString| secret.expose_secret().to_owned();
    let initial_password = made_up.filter(|_| invitation.is_none()).map(shown);
    let invitation_code = invitation.map(shown);
    let (place, etag) = (format!("{}/staff/{}", edge::API_PREFIX, member.id), member.version.to_string());
    let view = NewStaffMember { member, initial_password, invitation_code };
    once.finish(Reply::created(place, &view).etag(&etag)).await
}

async fn get(
    State(control): State<Control>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<AccountId>,
) -> Result<Reply, Problem> {
    let tx = control.db().control().await?;
    let member = find_staff(&tx, ctx.tenant_id(), id).await?.ok_or_else(Problem::not_found)?;
    tx.commit().await?;
    Ok(reply(&member))
}

async fn update(
    State(control): State<Control>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<AccountId>,
    if_match: IfMatch,
    Json(body): Json<StaffChange>,
) -> Result<Reply, Problem> {
    let password_hash = match body.password {
        Some(password) => Some(control.passwords().hash(password).await?),
        None => None,
    };
    let version = if_match.version()?;
    let tx = control.db().control().await?;
    let wanted = ChangeStaff { role: body.role, active: body.active, password_hash, version };
    let member = change_staff(&control, &ctx, &tx, id, wanted).await?;
    tx.commit().await?;
    Ok(reply(&member))
}

fn beyond(name: &str) -> Problem {
    Problem::new(PERMISSION_BEYOND_YOURS).detail(format!("You do not have {name} yourself."))
}

fn unknown_role() -> Problem {
    Problem::new(UNKNOWN_ROLE).pointer("/role", UNKNOWN_ROLE, "there is no such role for staff")
}

impl From<TakeOnError> for Problem {
    fn from(error: TakeOnError) -> Self {
        match error {
            TakeOnError::Exists => Self::new(STAFF_EXISTS),
            TakeOnError::UnknownRole => unknown_role(),
            TakeOnError::Beyond(name) => beyond(&name),
            TakeOnError::Database(error) => error.into(),
        }
    }
}

impl From<ChangeStaffError> for Problem {
    fn from(error: ChangeStaffError) -> Self {
        match error {
            ChangeStaffError::NotFound => Self::not_found(),
            ChangeStaffError::Changed => Self::new(edge::codes::PRECONDITION_FAILED),
            ChangeStaffError::UnknownRole => unknown_role(),
            ChangeStaffError::Beyond(name) => beyond(&name),
            ChangeStaffError::LastAdmin => Self::new(LAST_ADMIN),
            ChangeStaffError::Shared => Self::new(ACCOUNT_SHARED),
            ChangeStaffError::Database(error) => error.into(),
        }
    }
}
