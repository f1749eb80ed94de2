//! What tenants use, as the edge sees it: requests, the bytes of their bodies, the time of
//! their handlers, what they cost the database.

use std::time::Duration;

use kernel::{Spent, TenantId, Timestamp};

/// What was used of the edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Used {
    /// Requests that reached their handler.
    pub calls: u64,
    /// Bytes of bodies that came in.
    pub received: u64,
    /// Bytes of bodies that went out, before compression.
    pub sent: u64,
    /// How long handlers were at work.
    pub worked: Duration,
    /// What transactions cost.
    pub spent: Spent,
}

/// Takes what tenants use. Never blocks and never fails: implementations count in memory.
pub trait Meter: Send + Sync {
    /// Adds to what `tenant` has used at `at`.
    fn add(&self, tenant: TenantId, at: Timestamp, used: Used);
}

impl Meter for () {
    fn add(&self, _tenant: TenantId, _at: Timestamp, _used: Used) {}
}
