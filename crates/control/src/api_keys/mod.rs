//! API keys: for programs of a tenant, shown once, stored as a hash, ending by themselves.

mod create_key;
mod find_keys;
mod http;
mod revoke_key;
mod uses;
mod verify;

use kernel::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

kernel::id!(
    /// An API key, without its secret.
    ApiKeyId,
    "key"
);

pub use create_key::{CreateKey, CreateKeyError, CreatedKey, create_key};
pub use find_keys::{find_key, list_keys};
pub(crate) use http::routes;
pub use revoke_key::revoke_key;
pub(crate) use uses::{KeyUse, KeyUses};
pub(crate) use verify::verify_api_key;

/// A key as the tenant sees it; its secret is nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    /// Identity.
    pub id: ApiKeyId,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub permissions: Vec<String>,
    /// Who made it.
    pub created_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it ends by itself.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// When it was revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Timestamp>,
    /// When it was used last, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
}
