//! Tokens: the built-in issuer's keys and signatures, opaque tokens, and the cache of what has been verified.

mod cache;
mod claims;
mod identity;
mod keys;
mod master_key;
pub(crate) mod opaque;
mod revoke_operator_tokens;
mod rotate_keys;
mod sign;
mod verify;
mod well_known;

pub(crate) use cache::{Anchor, TokenCache, Verified};
pub(crate) use claims::session_of;
pub use keys::KeyError;
pub(crate) use keys::KeyRing;
pub use master_key::{MasterKey, SealError};
pub use revoke_operator_tokens::revoke_operator_tokens;
pub use rotate_keys::rotate_signing_keys;
pub(crate) use sign::{Grant, sign};
pub use sign::{MAX_TTL, OperatorToken, sign_operator_token, sign_visitor_token};
pub(crate) use verify::{check_signature, check_times};
pub(crate) use well_known::routes;
