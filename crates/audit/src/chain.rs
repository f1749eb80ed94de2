//! The hash that ties an entry to the one before it.

use sha2::{Digest, Sha256};

use crate::Record;

/// What the chain of a tenant begins with.
pub(crate) const BEGIN: [u8; 32] = [0; 32];

/// The hash of `record` at place `seq`, after an entry with the hash `before`.
pub(crate) fn link(before: &[u8], seq: i64, record: &Record) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut field = |bytes: Option<&[u8]>| match bytes {
        None => hash.update([0]),
        Some(bytes) => {
            hash.update([1]);
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        }
    };
    field(Some(before));
    field(Some(record.tenant.0.as_bytes()));
    field(Some(&seq.to_be_bytes()));
    field(Some(&record.at.as_microsecond().to_be_bytes()));
    field(record.actor.as_deref().map(str::as_bytes));
    field(Some(record.operation.as_bytes()));
    field(Some(record.method.as_bytes()));
    field(Some(record.subject.as_bytes()));
    field(Some(&record.status.to_be_bytes()));
    field(record.address.map(|address| address.to_string()).as_deref().map(str::as_bytes));
    field(record.agent.as_deref().map(str::as_bytes));
    field(Some(record.correlation_id.as_bytes()));
    field(Some(&record.duration_us.to_be_bytes()));
    field(record.request.as_deref());
    field(record.response.as_deref());
    hash.finalize().into()
}
