//! `/webhooks/{id}/test`, `/webhooks/{id}/deliveries` and `/webhooks/deliveries`.

use axum::extract::State;
use edge::{
    Idempotency, IdempotencyKey, Op, Path, Problem, Query, Reply, Routes, Tenanted,
    idempotency::run_once,
    page::{Cursor, Limit, Page},
};
use garde::Validate;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    delivery::{Delivery, find_delivery, list_deliveries},
    model::{DeliveryId, DeliveryState, WebhookId},
    problems::{
        WEBHOOK_DELIVERY_NOT_FOUND, WEBHOOK_DELIVERY_PENDING, WEBHOOK_NOT_FOUND, WEBHOOK_OFF, WEBHOOKS_READ,
        WEBHOOKS_WRITE,
    },
    replay_delivery::replay_delivery,
    send_test::send_test,
    sender::Webhooks,
    subscription::find_webhook,
};

pub(super) fn routes(state: Webhooks) -> Routes<()> {
    Routes::new("Webhooks")
        .add(
            Op::post("/webhooks/{id}/test", "test_webhook", "Send a test message to a webhook")
                .description("A `WebhookTest` message, signed, retried and logged as any other.")
                .permission(WEBHOOKS_WRITE)
                .idempotency(IdempotencyKey::Optional)
                .returns::<Delivery>(202)
                .problems(&[WEBHOOK_NOT_FOUND, WEBHOOK_OFF]),
            test,
        )
        .add(
            Op::get("/webhooks/{id}/deliveries", "list_webhook_deliveries", "A webhook's log, latest first")
                .description("Deliveries are kept for 30 days.")
                .permission(WEBHOOKS_READ)
                .query::<DeliveryQuery>()
                .returns::<Page<Delivery>>(200)
                .problems(&[WEBHOOK_NOT_FOUND]),
            list,
        )
        .add(
            Op::get("/webhooks/deliveries/{id}", "get_webhook_delivery", "One delivery")
                .permission(WEBHOOKS_READ)
                .returns::<Delivery>(200)
                .problems(&[WEBHOOK_DELIVERY_NOT_FOUND]),
            get,
        )
        .add(
            Op::post("/webhooks/deliveries/{id}/replay", "replay_webhook_delivery", "Send a message again")
                .description("Under the same `webhook-id`, with all attempts before it.")
                .permission(WEBHOOKS_WRITE)
                .idempotency(IdempotencyKey::Optional)
                .returns::<Delivery>(202)
                .problems(&[WEBHOOK_DELIVERY_NOT_FOUND, WEBHOOK_DELIVERY_PENDING, WEBHOOK_OFF]),
            replay,
        )
        .with_state(state)
}

/// What of a log to show.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct DeliveryQuery {
    /// Only those that ended, or wait, like this.
    #[param(inline)]
    state: Option<DeliveryState>,
    /// How many items at most.
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `nextCursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

fn accepted(delivery: &Delivery) -> Reply {
    Reply::accepted(format!("/api/v1/webhooks/deliveries/{}", delivery.id), delivery)
}

async fn test(
    State(state): State<Webhooks>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<WebhookId>,
    key: Idempotency,
) -> Result<Reply, Problem> {
    let db = state.db().clone();
    run_once(&db, &ctx, &key, async move |tx| {
        let delivery = send_test(tx, id).await?;
        state.wake_after(tx);
        Ok(accepted(&delivery))
    })
    .await
}

async fn list(
    State(state): State<Webhooks>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<WebhookId>,
    Query(query): Query<DeliveryQuery>,
) -> Result<Reply, Problem> {
    let before: Option<DeliveryId> = query.cursor.as_ref().map(Cursor::key).transpose()?;
    let tx = state.db().begin_read(&ctx).await?;
    find_webhook(&tx, id).await?.ok_or_else(|| Problem::new(WEBHOOK_NOT_FOUND))?;
    let deliveries = list_deliveries(&tx, id, query.state, before, query.limit.sql()).await?;
    tx.commit().await?;
    Ok(Reply::ok(&Page::from_rows(deliveries, query.limit, |delivery| delivery.id)))
}

async fn get(
    State(state): State<Webhooks>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<DeliveryId>,
) -> Result<Reply, Problem> {
    let tx = state.db().begin_read(&ctx).await?;
    let found = find_delivery(&tx, id).await?;
    tx.commit().await?;
    Ok(Reply::ok(&found.ok_or_else(|| Problem::new(WEBHOOK_DELIVERY_NOT_FOUND))?))
}

async fn replay(
    State(state): State<Webhooks>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<DeliveryId>,
    key: Idempotency,
) -> Result<Reply, Problem> {
    let db = state.db().clone();
    run_once(&db, &ctx, &key, async move |tx| {
        let delivery = replay_delivery(tx, id).await?;
        state.wake_after(tx);
        Ok(accepted(&delivery))
    })
    .await
}
