//! What travels: a message's CloudEvents envelope with the delivery it belongs to in headers.

use std::{str::FromStr, sync::Arc};

use async_nats::{HeaderMap, jetstream::message::PublishMessage};
use jiff::Timestamp;
use kernel::{Placement, TenantId};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    Message, MessageId,
    relay::lanes::{LaneKey, Pending},
};

const MESSAGE_ID: &str = "Nats-Msg-Id";
const CONTENT_TYPE: &str = "Content-Type";
const CONSUMER: &str = "Markethall-Consumer";
const SHARD: &str = "Markethall-Shard";
const DATABASE: &str = "Markethall-Database";
const SEQ: &str = "Markethall-Seq";
const ATTEMPTS: &str = "Markethall-Attempts";
const VERSION: &str = "Markethall-Version";

/// A delivery as the one who handles it gets it.
#[derive(Debug)]
pub(super) struct Parcel {
    /// What NATS tells copies by.
    pub(super) id: String,
    /// Whose table it is in.
    pub(super) placement: Placement,
    /// For whom.
    pub(super) consumer: String,
    pub(super) pending: Pending,
}

/// The envelope as read; see [`Message::to_cloud_event`].
#[derive(Deserialize)]
struct Envelope {
    id: MessageId,
    #[serde(rename = "type")]
    kind: Arc<str>,
    subject: Arc<str>,
    time: Timestamp,
    tenant: TenantId,
    correlationid: Arc<str>,
    traceparent: Option<Arc<str>>,
    data: Box<RawValue>,
}

/// What NATS tells copies by: the same for the same message, consumer and version of the delivery, whoever sends it.
/// `copy` above 0 makes another one, where NATS remembers the first but has lost it.
pub(super) fn id_of(key: &LaneKey, pending: &Pending, copy: u32) -> String {
    let (message, version) = (pending.message.id, pending.version);
    match copy {
        0 => format!("{message}.{}.{version}", key.consumer),
        copy => format!("{message}.{}.{version}.{copy}", key.consumer),
    }
}

/// Wraps a delivery up.
pub(super) fn wrap(
    id: &str,
    placement: &Placement,
    key: &LaneKey,
    pending: &Pending,
) -> Result<PublishMessage, serde_json::Error> {
    let payload = serde_json::to_vec(&pending.message.to_cloud_event())?;
    let mut headers = HeaderMap::new();
    headers.insert(MESSAGE_ID, id);
    headers.insert(CONTENT_TYPE, "application/cloudevents+json");
    headers.insert(CONSUMER, key.consumer);
    headers.insert(SHARD, &*placement.shard);
    headers.insert(DATABASE, &*placement.database);
    headers.insert(SEQ, pending.message.seq.to_string());
    headers.insert(ATTEMPTS, pending.attempts.to_string());
    headers.insert(VERSION, pending.version.to_string());
    Ok(PublishMessage::build().payload(payload.into()).headers(headers))
}

/// A message from NATS that is no delivery of ours.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoParcel {
    #[error("header {0} is missing or wrong")]
    Header(&'static str),
    #[error("no envelope: {0}")]
    Envelope(#[from] serde_json::Error),
}

impl Parcel {
    pub(super) fn open(message: &async_nats::Message) -> Result<Self, NoParcel> {
        let headers = message.headers.as_ref().ok_or(NoParcel::Header(MESSAGE_ID))?;
        let envelope: Envelope = serde_json::from_slice(&message.payload)?;
        let message = Message {
            id: envelope.id,
            seq: parse(headers, SEQ)?,
            tenant: envelope.tenant,
            kind: envelope.kind,
            subject: envelope.subject,
            time: envelope.time,
            correlation_id: envelope.correlationid,
            traceparent: envelope.traceparent,
            data: envelope.data,
        };
        let (attempts, version) = (parse(headers, ATTEMPTS)?, parse(headers, VERSION)?);
        let (shard, database) = (text(headers, SHARD)?.into(), text(headers, DATABASE)?.into());
        Ok(Self {
            id: text(headers, MESSAGE_ID)?.to_owned(),
            // Which sessions are opened does not depend on `dedicated`.
            placement: Placement { shard, database, dedicated: false },
            consumer: text(headers, CONSUMER)?.to_owned(),
            pending: Pending { message: Arc::new(message), attempts, version },
        })
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, NoParcel> {
    headers.get(name).map(async_nats::HeaderValue::as_str).ok_or(NoParcel::Header(name))
}

fn parse<T: FromStr>(headers: &HeaderMap, name: &'static str) -> Result<T, NoParcel> {
    text(headers, name)?.parse().map_err(|_| NoParcel::Header(name))
}

/// `name` as one word of a subject and as a name in NATS; different names stay different.
pub(super) fn token(name: &str) -> String {
    let mut token = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'.' => token.push('-'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => token.push(char::from(byte)),
            other => token.push_str(&format!("={other:02X}")),
        }
    }
    token
}

#[cfg(test)]
#[path = "parcel_tests.rs"]
mod tests;
