//! External OpenID providers whose tokens a tenant takes: discovery, keys, rules, and what their claims mean here.

mod change_issuer;
mod fetch;
mod find_issuers;
mod http;
mod key_set;
mod known;
mod mapping;
mod verify;

use kernel::{TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub use change_issuer::{PutIssuer, PutIssuerError, delete_issuer, put_issuer};
pub use find_issuers::{find_issuer, list_issuers};
pub(crate) use http::routes;
pub(crate) use known::Issuers;
pub use mapping::ClaimMapping;
pub(crate) use verify::verify_external;

/// How an issuer may sign. Symmetric algorithms and `none` are not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[expect(missing_docs, reason = "the names of RFC 7518")]
pub enum SigningAlgorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
}

impl SigningAlgorithm {
    const ALL: [Self; 9] = [
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::EdDSA,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::EdDSA => "EdDSA",
        }
    }

    fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text)
    }

    fn is(self, algorithm: jsonwebtoken::Algorithm) -> bool {
        use jsonwebtoken::Algorithm;
        let own = match self {
            Self::RS256 => Algorithm::RS256,
            Self::RS384 => Algorithm::RS384,
            Self::RS512 => Algorithm::RS512,
            Self::PS256 => Algorithm::PS256,
            Self::PS384 => Algorithm::PS384,
            Self::PS512 => Algorithm::PS512,
            Self::ES256 => Algorithm::ES256,
            Self::ES384 => Algorithm::ES384,
            Self::EdDSA => Algorithm::EdDSA,
        };
        own == algorithm
    }
}

/// An issuer whose tokens a tenant takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Issuer {
    /// Its name within the tenant; stands before the subject of its users.
    pub name: String,
    /// The issuer as it stands in tokens; its discovery document is under it.
    pub url: String,
    /// Whom its tokens must be meant for.
    pub audience: String,
    /// How it may sign.
    pub algorithms: Vec<SigningAlgorithm>,
    /// What its claims mean here.
    pub mapping: ClaimMapping,
    /// Whether its tokens are taken.
    pub active: bool,
    /// When it was entered.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// The version for `If-Match`.
    #[serde(skip)]
    pub version: i32,
    /// The tenant.
    #[serde(skip)]
    pub tenant: TenantId,
    /// The tenant's slug.
    #[serde(skip)]
    pub tenant_slug: String,
    /// Identity in the database.
    #[serde(skip)]
    pub id: Uuid,
}
