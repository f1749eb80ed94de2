//! Routes of external issuers, for operators.

use axum::extract::State;
use edge::{IfMatch, Json, Op, Operator, Path, Path2, Problem, Reply, Routes, SecurityEventKind, page::Page};
use garde::Validate;
use kernel::TenantId;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    ClaimMapping, Issuer, PutIssuer, PutIssuerError, SigningAlgorithm,
    change_issuer::{MOST_PER_TENANT, probe},
    delete_issuer, find_issuer, list_issuers, put_issuer,
};
use crate::{
    Control,
    permissions::PLATFORM_TENANTS,
    problems::{ISSUER_EXISTS, ISSUER_UNUSABLE, TOO_MANY},
    tenants::find_tenant,
};

/// How an issuer shall be.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct IssuerChange {
    /// The issuer as it stands in tokens; https, or this machine.
    #[garde(length(min = 8, max = 500))]
    #[schema(min_length = 8, max_length = 500, example = "https://id.example/realms/acme")]
    url: String,
    /// Whom its tokens must be meant for; an audience belongs to one tenant.
    #[garde(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    audience: String,
    /// How it may sign.
    #[garde(length(min = 1, max = 9))]
    #[schema(min_items = 1, max_items = 9)]
    algorithms: Vec<SigningAlgorithm>,
    /// What its claims mean here.
    #[garde(dive)]
    #[serde(default)]
    mapping: ClaimMapping,
    /// Whether its tokens are taken.
    #[garde(skip)]
    #[serde(default = "yes")]
    active: bool,
}

fn yes() -> bool {
    true
}

pub(crate) fn routes() -> Routes<Control> {
    Routes::new("Tenants")
        .add(
            Op::get("/admin/tenants/{slug}/issuers", "list_issuers", "OpenID providers that a tenant takes")
                .platform(PLATFORM_TENANTS)
                .returns::<Page<Issuer>>(200),
            list,
        )
        .add(
            Op::get("/admin/tenants/{slug}/issuers/{name}", "get_issuer", "One OpenID provider of a tenant")
                .platform(PLATFORM_TENANTS)
                .returns::<Issuer>(200)
                .etag(),
            get,
        )
        .add(
            Op::put(
                "/admin/tenants/{slug}/issuers/{name}",
                "put_issuer",
                "Enter or change an OpenID provider",
            )
            .description("Its discovery document and keys are read once before it is taken.")
            .platform(PLATFORM_TENANTS)
            .security_event(SecurityEventKind::KeyChanged)
            .returns::<Issuer>(200)
            .returns::<Issuer>(201)
            .etag()
            .problems(&[ISSUER_EXISTS, ISSUER_UNUSABLE, TOO_MANY]),
            put,
        )
        .add(
            Op::delete("/admin/tenants/{slug}/issuers/{name}", "delete_issuer", "Remove an OpenID provider")
                .platform(PLATFORM_TENANTS)
                .security_event(SecurityEventKind::KeyChanged)
                .returns_nothing(204),
            delete,
        )
}

async fn tenant_of(tx: &db::ControlTx, slug: &str) -> Result<TenantId, Problem> {
    Ok(find_tenant(tx, slug).await?.ok_or_else(Problem::not_found)?.id)
}

async fn list(
    State(control): State<Control>,
    Operator(_): Operator,
    Path(slug): Path<String>,
) -> Result<Reply, Problem> {
    let tx = control.db().control().await?;
    let tenant = tenant_of(&tx, &slug).await?;
    let items = list_issuers(&tx, tenant).await?;
    tx.commit().await?;
    Ok(Reply::ok(&Page { items, next_cursor: None }))
}

async fn get(
    State(control): State<Control>,
    Operator(_): Operator,
    Path2(slug, name): Path2<String, String>,
) -> Result<Reply, Problem> {
    let tx = control.db().control().await?;
    let tenant = tenant_of(&tx, &slug).await?;
    let issuer = find_issuer(&tx, tenant, &name).await?.ok_or_else(Problem::not_found)?;
    tx.commit().await?;
    Ok(Reply::ok(&issuer).etag(&issuer.version.to_string()))
}

async fn put(
    State(control): State<Control>,
    Operator(caller): Operator,
    Path2(slug, name): Path2<String, String>,
    if_match: IfMatch,
    Json(body): Json<IssuerChange>,
) -> Result<Reply, Problem> {
    let version = if_match.version()?;
    if !is_name(&name) {
        return Err(Problem::not_found());
    }
    let tx = control.db().control().await?;
    let tenant = tenant_of(&tx, &slug).await?;
    tx.commit().await?;
    probe(&control, &body.url).await?;
    let IssuerChange { url, audience, algorithms, mapping, active } = body;
    let wanted = PutIssuer { name, url, audience, algorithms, mapping, active, version };
    let tx = control.db().control().await?;
    let (issuer, is_new) = put_issuer(&control, caller.now, &tx, tenant, wanted).await?;
    tx.commit().await?;
    let place = format!("{}/admin/tenants/{slug}/issuers/{}", edge::API_PREFIX, issuer.name);
    let reply = if is_new { Reply::created(place, &issuer) } else { Reply::ok(&issuer) };
    Ok(reply.etag(&issuer.version.to_string()))
}

/// `[a-z][a-z0-9-]*`, at most 40 characters: it stands in actors' names before a `|`.
fn is_name(name: &str) -> bool {
    name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

async fn delete(
    State(control): State<Control>,
    Operator(_): Operator,
    Path2(slug, name): Path2<String, String>,
) -> Result<Reply, Problem> {
    let tx = control.db().control().await?;
    let tenant = tenant_of(&tx, &slug).await?;
    if !delete_issuer(&control, &tx, tenant, &name).await? {
        return Err(Problem::not_found());
    }
    tx.commit().await?;
    Ok(Reply::no_content())
}

impl From<PutIssuerError> for Problem {
    fn from(error: PutIssuerError) -> Self {
        match error {
            PutIssuerError::Unusable(reason) => Self::new(ISSUER_UNUSABLE).detail(reason),
            PutIssuerError::AudienceTaken => Self::new(ISSUER_EXISTS),
            PutIssuerError::Changed => Self::new(edge::codes::PRECONDITION_FAILED),
            PutIssuerError::TooMany => {
                Self::new(TOO_MANY).detail(format!("A tenant has at most {MOST_PER_TENANT} issuers."))
            }
            PutIssuerError::Database(error) => error.into(),
        }
    }
}
