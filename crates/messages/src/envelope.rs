//! What a message is: a CloudEvents 1.0 envelope around a fact.

use std::sync::Arc;

use jiff::Timestamp;
use kernel::TenantId;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::ConsumerError;

kernel::id!(
    /// One message; the same in every delivery of it, so that it can be recognised.
    MessageId,
    "msg"
);

/// A published fact as consumers get it. Immutable and shared between its consumers.
#[derive(Debug, Clone)]
pub struct Message {
    /// Identity; consumers are idempotent by it.
    pub id: MessageId,
    /// Place in the order of its database; larger is later.
    pub seq: i64,
    /// Whose fact it is.
    pub tenant: TenantId,
    /// What happened, `ThingCreated`.
    pub kind: Arc<str>,
    /// The aggregate it happened to; messages of one subject are delivered in order.
    pub subject: Arc<str>,
    /// When it happened, by the clock of the unit of work that published it.
    pub time: Timestamp,
    /// Ties it to the request that caused it.
    pub correlation_id: Arc<str>,
    /// W3C trace context of its cause.
    pub traceparent: Option<Arc<str>>,
    /// The fact itself, JSON as described by its [`crate::MessageType`].
    pub data: Box<RawValue>,
}

impl Message {
    /// Reads the data as `T`.
    ///
    /// # Errors
    /// [`ConsumerError::Poison`] when it does not fit: trying again would not help.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, ConsumerError> {
        serde_json::from_str(self.data.get())
            .map_err(|error| ConsumerError::Poison(format!("data of {} does not fit: {error}", self.kind)))
    }

    /// The message in the form in which it leaves the program.
    #[must_use]
    pub fn to_cloud_event(&self) -> CloudEvent<'_> {
        CloudEvent {
            specversion: "1.0",
            id: self.id,
            source: format!("/tenants/{}", self.tenant),
            kind: &self.kind,
            subject: &self.subject,
            time: self.time,
            datacontenttype: "application/json",
            tenant: self.tenant,
            correlationid: &self.correlation_id,
            traceparent: self.traceparent.as_deref(),
            data: &self.data,
        }
    }
}

/// CloudEvents 1.0, JSON format; `tenant`, `correlationid` and `traceparent` are extension attributes.
#[derive(Debug, Serialize)]
pub struct CloudEvent<'a> {
    /// Always `1.0`.
    pub specversion: &'static str,
    /// Unique with `source`.
    pub id: MessageId,
    /// `/tenants/ten_..`.
    pub source: String,
    /// The message type's name.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// The aggregate.
    pub subject: &'a str,
    /// RFC 3339.
    pub time: Timestamp,
    /// Always `application/json`.
    pub datacontenttype: &'static str,
    /// Whose fact it is.
    pub tenant: TenantId,
    /// Ties it to its request.
    pub correlationid: &'a str,
    /// W3C trace context.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<&'a str>,
    /// The fact itself.
    pub data: &'a RawValue,
}
