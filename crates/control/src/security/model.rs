//! What is kept of a security event.

use std::net::IpAddr;

use edge::SecurityEventKind;
use kernel::{TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

kernel::id!(
    /// A security event.
    SecurityEventId,
    "sec"
);

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Somebody signed in.
    SignInSucceeded,
    /// Address and password, or an invitation code, did not fit.
    SignInFailed,
    /// An account or an address is locked for a while.
    SignInLocked,
    /// A refresh token came back that was used before: its sign-in is ended.
    RefreshReused,
    /// A sign-in was ended.
    SignedOut,
    /// A token that is forged, revoked, unknown or expired.
    TokenRefused,
    /// A valid token without the permission of the route.
    PermissionDenied,
    /// A token used for another tenant than its own.
    TenantMismatch,
    /// An operator's route called from elsewhere without the permission.
    OperatorRouteRefused,
    /// A key, a secret or an issuer of tokens was made, changed or ended.
    KeyChanged,
    /// A role, or who has which, was changed.
    RoleChanged,
    /// A feature was switched on or off, for a tenant or for all.
    FlagChanged,
    /// Data left as a file.
    DataExported,
    /// Many things were asked for within a minute that are not there, as one does who tries out identifiers.
    IdsGuessed,
    /// Somebody went on far beyond a rate limit.
    RateExceeded,
}

impl EventKind {
    pub(crate) const ALL: [Self; 15] = [
        Self::SignInSucceeded,
        Self::SignInFailed,
        Self::SignInLocked,
        Self::RefreshReused,
        Self::SignedOut,
        Self::TokenRefused,
        Self::PermissionDenied,
        Self::TenantMismatch,
        Self::OperatorRouteRefused,
        Self::KeyChanged,
        Self::RoleChanged,
        Self::FlagChanged,
        Self::DataExported,
        Self::IdsGuessed,
        Self::RateExceeded,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::SignInSucceeded => "sign_in_succeeded",
            Self::SignInFailed => "sign_in_failed",
            Self::SignInLocked => "sign_in_locked",
            Self::RefreshReused => "refresh_reused",
            Self::SignedOut => "signed_out",
            Self::TokenRefused => "token_refused",
            Self::PermissionDenied => "permission_denied",
            Self::TenantMismatch => "tenant_mismatch",
            Self::OperatorRouteRefused => "operator_route_refused",
            Self::KeyChanged => "key_changed",
            Self::RoleChanged => "role_changed",
            Self::FlagChanged => "flag_changed",
            Self::DataExported => "data_exported",
            Self::IdsGuessed => "ids_guessed",
            Self::RateExceeded => "rate_exceeded",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl From<SecurityEventKind> for EventKind {
    fn from(kind: SecurityEventKind) -> Self {
        match kind {
            SecurityEventKind::TokenRefused => Self::TokenRefused,
            SecurityEventKind::PermissionDenied => Self::PermissionDenied,
            SecurityEventKind::TenantMismatch => Self::TenantMismatch,
            SecurityEventKind::OperatorRouteRefused => Self::OperatorRouteRefused,
            SecurityEventKind::KeyChanged => Self::KeyChanged,
            SecurityEventKind::RoleChanged => Self::RoleChanged,
            SecurityEventKind::FlagChanged => Self::FlagChanged,
            SecurityEventKind::DataExported => Self::DataExported,
            SecurityEventKind::IdsGuessed => Self::IdsGuessed,
            SecurityEventKind::RateExceeded => Self::RateExceeded,
        }
    }
}

/// One security event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecurityEventView {
    /// Identity.
    pub id: SecurityEventId,
    /// When; the first time, if it happened again at once.
    #[schema(value_type = String, format = DateTime)]
    pub occurred_at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// In which tenant, as far as known.
    pub tenant_id: Option<TenantId>,
    /// By whom, as far as known.
    pub actor: Option<String>,
    /// From where.
    #[schema(value_type = Option<String>)]
    pub address: Option<IpAddr>,
    /// With what program, as it names itself.
    pub agent: Option<String>,
    /// Why.
    pub reason: String,
    /// About what: the path of a thing.
    pub subject: Option<String>,
    /// The operation that was called.
    pub operation: String,
    /// Ties it to the log.
    pub correlation_id: String,
    /// How often it happened in a row.
    pub times: i32,
}

#[cfg(test)]
mod tests {
    use super::*;

    // IDN-9
    #[test]
    fn kinds_are_written_in_json_as_in_the_database() {
        for kind in EventKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_eq!(EventKind::parse(kind.as_str()), Some(kind));
        }
    }
}
