//! Use case: note for each webhook that waits for a message that it is to be told.

use db::{DbError, TenantTx};
use jiff::Timestamp;
use kernel::TenantId;
use messages::{Message, MessageId};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::model::{DeliveryId, PENDING_MAX, WEBHOOKS_MAX};

/// The consumer that hears what tenants have asked for; what is on its way is stored under this name.
pub const CONSUMER: &str = "webhooks.collect";

/// What is sent: the payload that the Standard Webhooks specification recommends, and whose fact it is.
#[derive(Debug, Serialize)]
struct Payload<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    timestamp: Timestamp,
    data: &'a RawValue,
    tenant: TenantId,
    subject: &'a str,
    id: MessageId,
}

/// A message as it is sent.
pub(crate) fn payload(message: &Message) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Payload {
        kind: &message.kind,
        timestamp: message.time,
        data: &message.data,
        tenant: message.tenant,
        subject: &message.subject,
        id: message.id,
    })
}

/// Makes a delivery for each active webhook that waits for the message; how many can be sent now.
///
/// A webhook with 50,000 deliveries waiting gets one in the state `dropped`, which can be replayed.
///
/// # Errors
/// [`DbError`].
pub(crate) async fn collect(tx: &TenantTx, message: &Message, body: &str) -> Result<i64, DbError> {
    let ids: Vec<Uuid> = (0..WEBHOOKS_MAX).map(|_| DeliveryId::new().0).collect();
    // What is sent belongs under the handling of the message.
    let trace = tx.ctx().caller.trace.as_ref().filter(|_| traces::is_on()).map(|trace| &*trace.0);
    let row = tx
        .query_one(
            include_str!("collect.sql"),
            &[
                &tx.tenant_id(),
                &message.id,
                &&*message.kind,
                &&*message.subject,
                &body,
                &tx.ctx().now(),
                &PENDING_MAX,
                &ids,
                &trace,
            ],
        )
        .await?;
    Ok(row.try_get("pending")?)
}
