//! Taking deliveries that are due, for a while: whoever dies leaves them to others when that is over.

use std::collections::HashMap;

use control::MasterKey;
use db::{DbError, Row, TenantTx};
use jiff::{SignedDuration, Timestamp};
use kernel::TraceParent;
use messages::MessageId;
use uuid::Uuid;

use crate::{
    model::{DeliveryId, WebhookId},
    schedule::later,
    secret::Secret,
};

/// How long a claim lasts; longer than any request may take.
const LEASE: SignedDuration = SignedDuration::from_secs(90);

/// A delivery that is ours to send.
pub(crate) struct Claimed {
    pub(crate) id: DeliveryId,
    pub(crate) webhook: WebhookId,
    pub(crate) message: MessageId,
    /// Attempts before this one, since it was made or replayed.
    pub(crate) tries: i32,
    /// Proves that it is still ours when the outcome is recorded.
    pub(crate) claim: Uuid,
    pub(crate) url: String,
    pub(crate) body: String,
    /// What sending it is part of.
    pub(crate) trace: Option<TraceParent>,
    /// Those that are valid now, the latest first; none when they cannot be opened.
    pub(crate) secrets: Vec<Secret>,
}

/// How much may be taken.
pub(crate) struct Room {
    /// In all.
    pub(crate) total: usize,
    /// Per webhook, what is on its way included.
    pub(crate) per_webhook: usize,
    /// On their way now.
    pub(crate) calls: HashMap<WebhookId, i64>,
}

/// Takes deliveries that are due.
pub(crate) async fn claim(tx: &TenantTx, key: &MasterKey, room: &Room) -> Result<Vec<Claimed>, DbError> {
    let (now, claim) = (tx.ctx().now(), Uuid::now_v7());
    let (total, per_webhook) = (room.total as i64, room.per_webhook as i64);
    let (webhooks, calls): (Vec<WebhookId>, Vec<i64>) = room.calls.iter().map(|(id, n)| (*id, *n)).unzip();
    let rows = tx
        .query(
            include_str!("claim.sql"),
            &[&tx.tenant_id(), &now, &later(now, LEASE), &claim, &total, &per_webhook, &webhooks, &calls],
        )
        .await?;
    rows.iter().map(|row| decode(row, key, claim)).collect()
}

/// When the next delivery of an active webhook may be sent.
pub(crate) async fn next_due(tx: &TenantTx) -> Result<Option<Timestamp>, DbError> {
    Ok(tx.query_one(include_str!("next_due.sql"), &[&tx.tenant_id()]).await?.try_get("due")?)
}

fn decode(row: &Row, key: &MasterKey, claim: Uuid) -> Result<Claimed, DbError> {
    let sealed: [Option<&[u8]>; 2] = [Some(row.try_get("secret")?), row.try_get("old_secret")?];
    let opened = sealed.into_iter().flatten().map(|sealed| Secret::open(key, sealed));
    Ok(Claimed {
        id: row.try_get("id")?,
        webhook: row.try_get("subscription_id")?,
        message: row.try_get("message_id")?,
        tries: row.try_get("tries")?,
        claim,
        url: row.try_get("url")?,
        body: row.try_get("body")?,
        trace: row.try_get::<_, Option<&str>>("traceparent")?.map(|text| TraceParent(text.into())),
        secrets: opened.collect::<Result<_, _>>().unwrap_or_default(),
    })
}
