//! What the gate has learnt of a request by the time its handler runs.

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use kernel::{Caller, Tenant, Timestamp, TraceParent};

use crate::{Op, Principal};

/// One request on its way; handlers reach it through extractors.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) op: Arc<Op>,
    pub(crate) correlation_id: Arc<str>,
    pub(crate) trace: TraceParent,
    pub(crate) now: Timestamp,
    pub(crate) address: Option<IpAddr>,
    pub(crate) principal: Option<Arc<Principal>>,
    pub(crate) tenant: Option<Arc<Tenant>>,
    /// The whole body, for operations that declare one; empty otherwise.
    pub(crate) body: Bytes,
}

impl Visit {
    /// The caller, once a token was accepted.
    pub(crate) fn caller(&self) -> Option<Caller> {
        let principal = self.principal.as_deref()?;
        Some(Caller {
            actor: principal.actor.clone(),
            permissions: principal.permissions.clone(),
            correlation_id: self.correlation_id.clone(),
            trace: Some(self.trace.clone()),
            now: self.now,
        })
    }
}
