//! An entry as it waits to be written: redacted and compressed.

use std::net::IpAddr;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use edge::AuditEntry;
use kernel::{TenantId, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::redact::redact;

/// Fast rather than small: bodies are short.
const LEVEL: i32 = 1;

/// What is kept of one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Whose log it belongs to.
    pub tenant: TenantId,
    /// When, in whole microseconds.
    pub at: Timestamp,
    /// By whom; `None` where nobody was signed in.
    pub actor: Option<String>,
    /// The operation.
    pub operation: String,
    /// Its method.
    pub method: String,
    /// The path: which thing.
    pub subject: String,
    /// The status of the answer.
    pub status: i16,
    /// From where.
    pub address: Option<IpAddr>,
    /// With what program.
    pub agent: Option<String>,
    /// Ties it to logs and messages.
    pub correlation_id: String,
    /// How long it took, in microseconds.
    pub duration_us: i64,
    /// The body of the request, compressed.
    #[serde(with = "Bytes64")]
    pub request: Option<Vec<u8>>,
    /// The body of the answer, compressed.
    #[serde(with = "Bytes64")]
    pub response: Option<Vec<u8>>,
}

impl Record {
    /// Redacts and compresses.
    #[must_use]
    pub fn of(entry: &AuditEntry) -> Self {
        let micros = entry.at.as_microsecond();
        Self {
            tenant: entry.tenant.id,
            at: Timestamp::from_microsecond(micros).unwrap_or(entry.at),
            actor: entry.actor.as_ref().map(|actor| clean(&actor.to_string())),
            operation: entry.operation.to_owned(),
            method: entry.method.to_string(),
            subject: clean(&entry.subject),
            status: i16::try_from(entry.status).unwrap_or(0),
            address: entry.address,
            agent: entry.agent.as_deref().map(clean),
            correlation_id: entry.correlation_id.to_string(),
            duration_us: i64::try_from(entry.took.as_micros()).unwrap_or(i64::MAX),
            request: pack(&entry.request),
            response: pack(&entry.response),
        }
    }
}

/// PostgreSQL keeps no NUL in texts; what others say of themselves may hold one.
fn clean(text: &str) -> String {
    text.replace('\0', "")
}

fn pack(body: &[u8]) -> Option<Vec<u8>> {
    if body.is_empty() {
        return None;
    }
    zstd::bulk::compress(&redact(body)?, LEVEL).ok()
}

/// A body as it was kept, at most `most` bytes long.
pub(crate) fn unpack(packed: &[u8], most: usize) -> Option<Vec<u8>> {
    zstd::bulk::decompress(packed, most).ok()
}

/// Bytes in a line of the spool.
struct Bytes64;

impl Bytes64 {
    fn serialize<S: Serializer>(bytes: &Option<Vec<u8>>, to: S) -> Result<S::Ok, S::Error> {
        bytes.as_ref().map(|bytes| STANDARD.encode(bytes)).serialize(to)
    }

    fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<u8>>, D::Error> {
        let text: Option<String> = Option::deserialize(from)?;
        text.map(|text| STANDARD.decode(text).map_err(D::Error::custom)).transpose()
    }
}
