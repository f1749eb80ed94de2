//! Routes of roles.

use axum::extract::State;
use edge::{
    Idempotency, IfMatch, Json, Op, Path, Problem, Query, Reply, Routes, SecurityEventKind, Tenanted,
    page::{Page, PageQuery},
};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    ChangeRoleError, CreateRole, CreateRoleError, Role, UpdateRole, create_role, delete_role, find_role,
    list_roles, update_role,
};
use crate::{
    Control,
    idempotency::{Begun, begin},
    permissions::{ROLES_READ, ROLES_WRITE, permission_names_schema},
    problems::{PERMISSION_BEYOND_YOURS, ROLE_EXISTS, ROLE_IN_USE, TOO_MANY, UNKNOWN_PERMISSION},
};

/// A role of the tenant's own.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewRole {
    /// Its name in tokens and on the staff; never changes.
    #[garde(pattern("^[a-z][a-z0-9_-]{1,39}$"))]
    #[schema(pattern = "^[a-z][a-z0-9_-]{1,39}$")]
    name: String,
    /// What it is for.
    #[garde(length(chars, max = 500))]
    #[schema(max_length = 500)]
    #[serde(default)]
    description: String,
    /// What it may do: `resource:action`, `resource:*` or `*`; never more than you may yourself.
    #[garde(length(min = 1, max = 100), inner(length(min = 1, max = 64)))]
    #[schema(schema_with = permission_names_schema)]
    permissions: Vec<String>,
}

/// How a role shall be.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RoleChange {
    /// What it is for.
    #[garde(length(chars, max = 500))]
    #[schema(max_length = 500)]
    #[serde(default)]
    description: String,
    /// What it may do.
    #[garde(length(min = 1, max = 100), inner(length(min = 1, max = 64)))]
    #[schema(schema_with = permission_names_schema)]
    permissions: Vec<String>,
}

pub(crate) fn routes() -> Routes<Control> {
    let problems = &[UNKNOWN_PERMISSION, PERMISSION_BEYOND_YOURS];
    Routes::new("Roles")
        .add(
            Op::get("/roles", "list_roles", "Built-in roles and the tenant's own")
                .permission(ROLES_READ)
                .returns::<Page<Role>>(200),
            list,
        )
        .add(
            Op::post("/roles", "create_role", "Make a role out of permissions")
                .permission(ROLES_WRITE)
                .security_event(SecurityEventKind::RoleChanged)
                .returns::<Role>(201)
                .etag()
                .problems(problems)
                .problems(&[ROLE_EXISTS, TOO_MANY]),
            create,
        )
        .add(
            Op::get("/roles/{name}", "get_role", "One role")
                .permission(ROLES_READ)
                .returns::<Role>(200)
                .etag(),
            get,
        )
        .add(
            Op::put("/roles/{name}", "update_role", "Change a role of the tenant's own")
                .permission(ROLES_WRITE)
                .security_event(SecurityEventKind::RoleChanged)
                .returns::<Role>(200)
                .etag()
                .problems(problems),
            update,
        )
        .add(
            Op::delete("/roles/{name}", "delete_role", "Remove a role that nobody has")
                .permission(ROLES_WRITE)
                .security_event(SecurityEventKind::RoleChanged)
                .returns_nothing(204)
                .problems(&[ROLE_IN_USE, PERMISSION_BEYOND_YOURS]),
            delete,
        )
}

fn reply(role: &Role) -> Reply {
    Reply::ok(role).etag(&role.version.to_string())
}

async fn list(
    State(control): State<Control>,
    Tenanted(ctx): Tenanted,
    Query(page): Query<PageQuery>,
) -> Result<Reply, Problem> {
    let after: Option<String> = page.after()?;
    let tx = control.db().control().await?;
    let mut roles = list_roles(&tx, ctx.tenant_id()).await?;
    tx.commit().await?;
    if let Some(after) = after {
        let at = roles.iter().position(|role| role.name == after).map_or(roles.len(), |at| at + 1);
        roles.drain(..at);
    }
    Ok(Reply::ok(&Page::from_rows(roles, page.limit, |role| role.name.clone())))
}

async fn create(
    State(control): State<Control>,
    Tenanted(ctx): Tenanted,
    idempotency: Idempotency,
    Json(body): Json<NewRole>,
) -> Result<Reply, Problem> {
    let NewRole { name, description, permissions } = body;
    let wanted = CreateRole { name, description, permissions };
    let once = match begin(&control, Some(ctx.tenant_id()), idempotency, ctx.now()).await? {
        Begun::Replay(reply) => return Ok(reply),
        Begun::Fresh(once) => once,
    };
    let role = create_role(&control, &ctx, once.tx(), wanted).await?;
    let place = format!("{}/roles/{}", edge::API_PREFIX, role.name);
    once.finish(Reply::created(place, &role).etag(&role.version.to_string())).await
}

async fn get(
    State(control): State<Control>,
    Tenanted(ctx): Tenanted,
    Path(name): Path<String>,
) -> Result<Reply, Problem> {
    let tx = control.db().control().await?;
    let role = find_role(&tx, ctx.tenant_id(), &name).await?.ok_or_else(Problem::not_found)?;
    tx.commit().await?;
    Ok(reply(&role))
}

async fn update(
    State(control): State<Control>,
    Tenanted(ctx): Tenanted,
    Path(name): Path<String>,
    if_match: IfMatch,
    Json(body): Json<RoleChange>,
) -> Result<Reply, Problem> {
    let RoleChange { description, permissions } = body;
    let tx = control.db().control().await?;
    let wanted = UpdateRole { description, permissions, version: if_match.version()? };
    let role = update_role(&control, &ctx, &tx, &name, wanted).await?;
    tx.commit().await?;
    Ok(reply(&role))
}

async fn delete(
    State(control): State<Control>,
    Tenanted(ctx): Tenanted,
    Path(name): Path<String>,
    if_match: IfMatch,
) -> Result<Reply, Problem> {
    let tx = control.db().control().await?;
    delete_role(&control, &ctx, &tx, &name, if_match.version()?).await?;
    tx.commit().await?;
    Ok(Reply::no_content())
}

impl From<CreateRoleError> for Problem {
    fn from(error: CreateRoleError) -> Self {
        match error {
            CreateRoleError::Exists => Self::new(ROLE_EXISTS),
            CreateRoleError::TooMany => {
                Self::new(TOO_MANY).detail("A tenant has at most 100 roles of its own.")
            }
            CreateRoleError::UnknownPermission(at, name) => Self::new(UNKNOWN_PERMISSION).pointer(
                format!("/permissions/{at}"),
                UNKNOWN_PERMISSION,
                format!("there is no permission {name}"),
            ),
            CreateRoleError::Beyond(name) => {
                Self::new(PERMISSION_BEYOND_YOURS).detail(format!("You do not have {name} yourself."))
            }
            CreateRoleError::Database(error) => error.into(),
        }
    }
}

impl From<ChangeRoleError> for Problem {
    fn from(error: ChangeRoleError) -> Self {
        match error {
            ChangeRoleError::NotFound => Self::not_found(),
            ChangeRoleError::Changed => Self::new(edge::codes::PRECONDITION_FAILED),
            ChangeRoleError::InUse => Self::new(ROLE_IN_USE),
            ChangeRoleError::Permissions(error) => error.into(),
            ChangeRoleError::Database(error) => error.into(),
        }
    }
}
