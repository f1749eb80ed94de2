//! What the built-in issuer writes into an access token.

use kernel::TenantId;
use serde::{Deserialize, Serialize};

use crate::accounts::SessionId;

/// The claims of an access token. Times are whole seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) aud: String,
    /// `usr_...`, [`OPERATOR`], or a visitor (see [`is_visitor`]).
    pub(crate) sub: String,
    pub(crate) exp: i64,
    pub(crate) nbf: i64,
    pub(crate) iat: i64,
    pub(crate) jti: String,
    /// The tenant it is bound to; absent for tokens of the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<TenantId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<String>,
    /// Resolved from the role when the token was issued.
    pub(crate) permissions: Vec<String>,
    /// The sign-in it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sid: Option<SessionId>,
    /// The generations of account and membership that it was issued under; a newer one makes it worthless. The first is
    /// the operators' in tokens of no account.
    #[serde(default, rename = "gen", skip_serializing_if = "Option::is_none")]
    pub(crate) generations: Option<[i32; 2]>,
}

/// The subject of tokens made on the command line.
pub(crate) const OPERATOR: &str = "operator";

/// Whether a subject is somebody who does not work here: a customer or a guest of one tenant.
pub(crate) fn is_visitor(subject: &str) -> bool {
    subject.starts_with("cus_") || subject.starts_with("gst_")
}

/// The sign-in that a token of the built-in issuer came from. Only for tokens that have been verified before.
pub(crate) fn session_of(bearer: &str) -> Option<SessionId> {
    #[derive(Deserialize)]
    struct Session {
        sid: Option<SessionId>,
    }
    jsonwebtoken::dangerous::insecure_decode_claims::<Session>(bearer).ok()?.sid
}
