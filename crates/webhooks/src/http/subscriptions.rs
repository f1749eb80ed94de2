//! `/webhooks`.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use edge::{
    Idempotency, IdempotencyKey, IfMatch, Json, Op, Path, Problem, Query, Reply, Routes, SecurityEventKind,
    Tenanted,
    idempotency::run_once,
    page::{Page, PageQuery},
};
use garde::Validate;
use messages::EVERY_KIND;
use serde::{Deserialize, Serialize};
use utoipa::{
    ToSchema,
    openapi::{Array, ArrayBuilder, ObjectBuilder, schema::Type},
};

use super::refusals::unknown_types;
use crate::{
    create_webhook::{WebhookInput, create_webhook},
    model::WebhookId,
    problems::{
        UNKNOWN_MESSAGE_TYPE, WEBHOOK_LIMIT, WEBHOOK_NOT_FOUND, WEBHOOK_URL_REFUSED, WEBHOOKS_READ,
        WEBHOOKS_WRITE,
    },
    rotate_secret::rotate_secret,
    sender::Webhooks,
    subscription::{Webhook, find_webhook, list_webhooks},
    update_webhook::{delete_webhook, update_webhook},
};

const ONCE: &str =
    "The secret is answered once. A request repeated under the same key is answered without it.";

pub(super) fn routes(state: Webhooks) -> Routes<()> {
    reading(Routes::new("Webhooks"))
        .add(
            Op::post("/webhooks", "create_webhook", "Make a webhook")
                .description(ONCE)
                .permission(WEBHOOKS_WRITE)
                .security_event(SecurityEventKind::KeyChanged)
                .idempotency(IdempotencyKey::Optional)
                .etag()
                .returns::<WebhookWithSecret>(201)
                .problems(&[WEBHOOK_LIMIT, WEBHOOK_URL_REFUSED, UNKNOWN_MESSAGE_TYPE]),
            create,
        )
        .add(
            Op::put("/webhooks/{id}", "update_webhook", "Change a webhook, switch it on or off")
                .description(
                    "Switched off, it hears of no new messages, and what waits for it goes on waiting. Switched on \
                     again, what waits is sent.",
                )
                .permission(WEBHOOKS_WRITE)
                .if_match()
                .etag()
                .returns::<Webhook>(200)
                .problems(&[WEBHOOK_NOT_FOUND, WEBHOOK_URL_REFUSED, UNKNOWN_MESSAGE_TYPE]),
            update,
        )
        .add(
            Op::delete("/webhooks/{id}", "delete_webhook", "Remove a webhook with its log")
                .permission(WEBHOOKS_WRITE)
                .security_event(SecurityEventKind::KeyChanged)
                .returns_nothing(204)
                .problems(&[WEBHOOK_NOT_FOUND]),
            delete,
        )
        .add(
            Op::post("/webhooks/{id}/rotate-secret", "rotate_webhook_secret", "Give a webhook another secret")
                .description(
                    "For a day messages are signed with both secrets. The new one is answered once: a request \
                     repeated under the same key is answered without it.",
                )
                .permission(WEBHOOKS_WRITE)
                .security_event(SecurityEventKind::KeyChanged)
                .idempotency(IdempotencyKey::Optional)
                .returns::<WebhookWithSecret>(200)
                .problems(&[WEBHOOK_NOT_FOUND]),
            rotate,
        )
        .with_state(state)
}

fn reading(routes: Routes<Webhooks>) -> Routes<Webhooks> {
    routes
        .add(
            Op::get("/webhooks", "list_webhooks", "Webhooks, oldest first")
                .permission(WEBHOOKS_READ)
                .returns::<Page<Webhook>>(200),
            list,
        )
        .add(
            Op::get("/webhooks/types", "list_webhook_types", "Message types that webhooks can wait for")
                .permission(WEBHOOKS_READ)
                .returns::<WebhookTypes>(200),
            types,
        )
        .add(
            Op::get("/webhooks/{id}", "get_webhook", "One webhook")
                .permission(WEBHOOKS_READ)
                .etag()
                .returns::<Webhook>(200)
                .problems(&[WEBHOOK_NOT_FOUND]),
            get,
        )
}

/// A webhook as its merchant wants it.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WebhookBody {
    /// Where messages are sent: an https address on the public internet.
    #[garde(length(chars, min = 1, max = 2048))]
    #[schema(min_length = 1, max_length = 2048)]
    url: String,
    /// Names of message types from `GET /webhooks/types`; `*` alone for all of them, also those to come.
    #[garde(length(min = 1, max = 200), inner(length(chars, min = 1, max = 100)))]
    #[schema(schema_with = type_names)]
    #[serde(default = "every_type")]
    types: Vec<String>,
    /// A remark for people.
    #[garde(length(chars, max = 500))]
    #[schema(max_length = 500)]
    #[serde(default)]
    description: String,
    /// Whether messages are sent.
    #[garde(skip)]
    #[serde(default = "yes")]
    active: bool,
}

/// A list's items have bounds of their own, which attributes cannot say.
fn type_names() -> Array {
    let name = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(100));
    ArrayBuilder::new().items(name).min_items(Some(1)).max_items(Some(200)).build()
}

fn every_type() -> Vec<String> {
    vec![EVERY_KIND.to_owned()]
}

fn yes() -> bool {
    true
}

impl WebhookBody {
    /// Checks what only the program knows: names of types, and where the address leads.
    async fn check(self, webhooks: &Webhooks) -> Result<WebhookInput, Problem> {
        let Self { url, mut types, description, active } = self;
        let known = |name: &str| {
            name == EVERY_KIND && types.len() == 1 || webhooks.types().iter().any(|kind| kind.name == name)
        };
        let unknown: Vec<usize> = (0..types.len()).filter(|place| !known(&types[*place])).collect();
        if !unknown.is_empty() {
            return Err(unknown_types(&unknown));
        }
        types.sort_unstable();
        types.dedup();
        let url = webhooks.resolver().check(&url).await?.to_string();
        Ok(WebhookInput { url, types, description, active })
    }
}

/// A webhook with its secret.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WebhookWithSecret {
    #[serde(flatten)]
    webhook: Webhook,
    /// What messages are signed with, as every library for Standard Webhooks takes it. Answered once.
    #[schema(pattern = "^whsec_[A-Za-z0-9+/]+=*$")]
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// Message types that webhooks can wait for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WebhookTypes {
    items: Vec<WebhookType>,
}

/// A message type.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WebhookType {
    /// Its name, as in `types` of a webhook and `type` of a message.
    name: String,
    /// When it is sent.
    summary: String,
}

async fn list(
    State(state): State<Webhooks>,
    Tenanted(ctx): Tenanted,
    Query(page): Query<PageQuery>,
) -> Result<Reply, Problem> {
    let after: Option<WebhookId> = page.after()?;
    let tx = state.db().begin_read(&ctx).await?;
    let webhooks = list_webhooks(&tx, after, page.limit.sql()).await?;
    tx.commit().await?;
    Ok(Reply::ok(&Page::from_rows(webhooks, page.limit, |webhook| webhook.id)))
}

async fn types(State(state): State<Webhooks>, Tenanted(_): Tenanted) -> Result<Reply, Problem> {
    let describe = |kind: &messages::MessageType| WebhookType {
        name: kind.name.to_owned(),
        summary: kind.summary.to_owned(),
    };
    Ok(Reply::ok(&WebhookTypes { items: state.types().iter().map(describe).collect() }))
}

async fn get(
    State(state): State<Webhooks>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<WebhookId>,
) -> Result<Reply, Problem> {
    let tx = state.db().begin_read(&ctx).await?;
    let webhook = find_webhook(&tx, id).await?.ok_or_else(|| Problem::new(WEBHOOK_NOT_FOUND))?;
    tx.commit().await?;
    Ok(Reply::ok(&webhook).etag(&webhook.version.to_string()))
}

/// Secrets are kept out of the answer that is stored for repeated requests: it is not sealed.
#[derive(Clone, Default)]
struct Revealed(Arc<Mutex<Option<WebhookWithSecret>>>);

impl Revealed {
    fn put(&self, (webhook, secret): (Webhook, String)) -> WebhookWithSecret {
        let stored = WebhookWithSecret { webhook: webhook.clone(), secret: None };
        if let Ok(mut place) = self.0.lock() {
            *place = Some(WebhookWithSecret { webhook, secret: Some(secret) });
        }
        stored
    }

    fn take(&self) -> Option<WebhookWithSecret> {
        self.0.lock().ok().and_then(|mut place| place.take())
    }
}

fn created(answer: &WebhookWithSecret) -> Reply {
    let webhook = &answer.webhook;
    Reply::created(format!("/api/v1/webhooks/{}", webhook.id), answer).etag(&webhook.version.to_string())
}

async fn create(
    State(state): State<Webhooks>,
    Tenanted(ctx): Tenanted,
    key: Idempotency,
    Json(body): Json<WebhookBody>,
) -> Result<Reply, Problem> {
    let (input, revealed) = (body.check(&state).await?, Revealed::default());
    let (db, place) = (state.db().clone(), revealed.clone());
    let reply = run_once(&db, &ctx, &key, async move |tx| {
        Ok(created(&place.put(create_webhook(tx, state.key(), input.clone()).await?)))
    })
    .await?;
    Ok(revealed.take().map_or(reply, |answer| created(&answer)))
}

async fn update(
    State(state): State<Webhooks>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<WebhookId>,
    if_match: IfMatch,
    Json(body): Json<WebhookBody>,
) -> Result<Reply, Problem> {
    let input = body.check(&state).await?;
    let tx = state.db().begin(&ctx).await?;
    let webhook = update_webhook(&tx, id, input, if_match.version()?).await?;
    state.wake_after(&tx);
    tx.commit().await?;
    Ok(Reply::ok(&webhook).etag(&webhook.version.to_string()))
}

async fn delete(
    State(state): State<Webhooks>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<WebhookId>,
) -> Result<Reply, Problem> {
    let tx = state.db().begin(&ctx).await?;
    if !delete_webhook(&tx, id).await? {
        return Err(Problem::new(WEBHOOK_NOT_FOUND));
    }
    tx.commit().await?;
    Ok(Reply::no_content())
}

async fn rotate(
    State(state): State<Webhooks>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<WebhookId>,
    key: Idempotency,
) -> Result<Reply, Problem> {
    let revealed = Revealed::default();
    let (db, place) = (state.db().clone(), revealed.clone());
    let reply = run_once(&db, &ctx, &key, async move |tx| {
        Ok(Reply::ok(&place.put(rotate_secret(tx, state.key(), id).await?)))
    })
    .await?;
    Ok(revealed.take().map_or(reply, |answer| Reply::ok(&answer)))
}
