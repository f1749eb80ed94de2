//! Routes of API keys.

use axum::extract::State;
use edge::{
    Idempotency, Json, Op, Path, Problem, Query, Reply, Routes, SecurityEventKind, Tenanted,
    page::{Page, PageQuery},
};
use garde::Validate;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ApiKey, ApiKeyId, CreateKey, CreateKeyError, create_key, find_key, list_keys, revoke_key};
use crate::{
    Control,
    idempotency::{Begun, begin},
    permissions::{KEYS_READ, KEYS_WRITE, permission_names_schema},
    problems::{PERMISSION_BEYOND_YOURS, TOO_MANY, UNKNOWN_PERMISSION},
};

/// The key to make.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewApiKey {
    /// What it is for.
    #[garde(length(chars, min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// What it may do: `resource:action`, `resource:*` or `*`; never more than you may yourself.
    #[garde(length(min = 1, max = 100), inner(length(min = 1, max = 64)))]
    #[schema(schema_with = permission_names_schema)]
    permissions: Vec<String>,
    /// When it ends by itself, in days.
    #[garde(range(min = 1, max = 1095))]
    #[schema(minimum = 1, maximum = 1095, default = 365)]
    #[serde(default = "year")]
    expires_in_days: u16,
}

fn year() -> u16 {
    365
}

/// A key made, with the only showing of its text.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CreatedApiKey {
    #[serde(flatten)]
    key: ApiKey,
    /// To be sent as `Authorization: Bearer mhk_...`; shown this once.
    #[schema(example = "mhk_...")]
    secret: String,
}

pub(crate) fn routes() -> Routes<Control> {
    Routes::new("API keys")
        .add(
            Op::get("/api-keys", "list_api_keys", "The tenant's keys, the youngest first")
                .permission(KEYS_READ)
                .returns::<Page<ApiKey>>(200),
            list,
        )
        .add(
            Op::post("/api-keys", "create_api_key", "Make a key for a program")
                .permission(KEYS_WRITE)
                .security_event(SecurityEventKind::KeyChanged)
                .returns::<CreatedApiKey>(201)
                .problems(&[UNKNOWN_PERMISSION, PERMISSION_BEYOND_YOURS, TOO_MANY]),
            create,
        )
        .add(
            Op::get("/api-keys/{id}", "get_api_key", "One key").permission(KEYS_READ).returns::<ApiKey>(200),
            get,
        )
        .add(
            Op::delete("/api-keys/{id}", "revoke_api_key", "Revoke a key at once")
                .permission(KEYS_WRITE)
                .security_event(SecurityEventKind::KeyChanged)
                .returns_nothing(204),
            revoke,
        )
}

async fn list(
    State(control): State<Control>,
    Tenanted(ctx): Tenanted,
    Query(page): Query<PageQuery>,
) -> Result<Reply, Problem> {
    let before: Option<ApiKeyId> = page.after()?;
    let tx = control.db().control().await?;
    let keys = list_keys(&tx, ctx.tenant_id(), before, page.limit.sql()).await?;
    tx.commit().await?;
    Ok(Reply::ok(&Page::from_rows(keys, page.limit, |key| key.id)))
}

async fn create(
    State(control): State<Control>,
    Tenanted(ctx): Tenanted,
    idempotency: Idempotency,
    Json(body): Json<NewApiKey>,
) -> Result<Reply, Problem> {
    let NewApiKey { name, permissions, expires_in_days } = body;
    let wanted = CreateKey { name, permissions, expires_in_days };
    let once = match begin(&control, Some(ctx.tenant_id()), idempotency, ctx.now()).await? {
        Begun::Replay(reply) => return Ok(reply),
        Begun::Fresh(once) => once,
    };
    let made = create_key(&control, &ctx, once.tx(), wanted).await?;
    let place = format!("{}/api-keys/{}", edge::API_PREFIX, made.key.id);
    let secret = made.text.expose_secret().to_owned();
    once.finish(Reply::created(place, &CreatedApiKey { key: made.key, secret })).await
}

async fn get(
    State(control): State<Control>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<ApiKeyId>,
) -> Result<Reply, Problem> {
    let tx = control.db().control().await?;
    let key = find_key(&tx, ctx.tenant_id(), id).await?.ok_or_else(Problem::not_found)?;
    tx.commit().await?;
    Ok(Reply::ok(&key))
}

async fn revoke(
    State(control): State<Control>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<ApiKeyId>,
) -> Result<Reply, Problem> {
    let tx = control.db().control().await?;
    if !revoke_key(&control, &ctx, &tx, id).await? {
        return Err(Problem::not_found());
    }
    tx.commit().await?;
    Ok(Reply::no_content())
}

impl From<CreateKeyError> for Problem {
    fn from(error: CreateKeyError) -> Self {
        match error {
            CreateKeyError::Permissions(error) => error.into(),
            CreateKeyError::TooMany => Self::new(TOO_MANY).detail("A tenant has at most 200 keys that work."),
            CreateKeyError::NotMade => Self::internal(error),
            CreateKeyError::Database(error) => error.into(),
        }
    }
}
