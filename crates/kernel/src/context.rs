//! The context of a unit of work: who asks, for which tenant, at what time, under which correlation id.

use std::{fmt, sync::Arc};

use jiff::Timestamp;

use crate::{PermissionSet, Tenant, TenantFlags, TenantId, TraceParent};

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A person, by the subject of their token (`usr_...`, or an external issuer's subject).
    User(Arc<str>),
    /// A program, by its API key's id.
    Key(Arc<str>),
    /// Somebody who does not work here, known or not, by the id that was given to them (`cus_...`, `gst_...`): holds
    /// only what is theirs.
    Visitor(Arc<str>),
    /// The operator on the command line.
    Operator,
    /// Markethall itself: a job, a consumer, an import.
    System,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) | Self::Key(id) | Self::Visitor(id) => f.write_str(id),
            Self::Operator => f.write_str("operator"),
            Self::System => f.write_str("system"),
        }
    }
}

/// Who asks, with what rights, when and under which correlation id; not yet bound to a tenant.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub actor: Actor,
    /// With what rights.
    pub permissions: PermissionSet,
    /// One word that ties logs, messages and audit of one request together; at most 64 characters `[A-Za-z0-9._-]`.
    pub correlation_id: Arc<str>,
    /// The trace this belongs to.
    pub trace: Option<TraceParent>,
    /// The time of the request; rules use it instead of a clock.
    pub now: Timestamp,
}

/// The context of a unit of work inside one tenant. Always built explicitly; there is no ambient tenant.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// The tenant whose data may be touched.
    pub tenant: Arc<Tenant>,
    /// Who asks.
    pub caller: Caller,
}

impl Ctx {
    /// The context of work that Markethall does by itself for `tenant`: a job, an import, a consumer.
    #[must_use]
    pub fn system(tenant: Arc<Tenant>, correlation_id: &str, now: Timestamp) -> Self {
        let caller = Caller {
            actor: Actor::System,
            permissions: PermissionSet::new(["*"]),
            correlation_id: correlation_id.into(),
            trace: None,
            now,
        };
        Self { tenant, caller }
    }

    /// The tenant's id.
    #[must_use]
    pub fn tenant_id(&self) -> TenantId {
        self.tenant.id
    }

    /// What is switched on for the tenant at the time of the request.
    #[must_use]
    pub fn flags(&self) -> TenantFlags<'_> {
        self.tenant.flags.of(self.tenant.id, self.caller.now)
    }

    /// The time of the request.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.caller.now
    }
}
