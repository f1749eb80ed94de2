//! Use case: a new API key. Its text is shown once and stored nowhere.

use db::{ControlTx, DbError};
use jiff::SignedDuration;
use kernel::{Ctx, Timestamp};
use secrecy::SecretString;

use super::{ApiKey, ApiKeyId, find_key};
use crate::{
    Control,
    roles::{CreateRoleError, check_permissions},
    tokens::opaque::API_KEY,
};

/// A tenant has at most this many keys that work.
const MOST_KEYS: i64 = 200;

/// The key to make.
#[derive(Debug, Clone)]
pub struct CreateKey {
    /// What it is for.
    pub name: String,
    /// What it may do; never more than the caller.
    pub permissions: Vec<String>,
    /// When it ends by itself, in days from now.
    pub expires_in_days: u16,
}

/// A key made.
#[derive(Debug)]
pub struct CreatedKey {
    /// As it stands.
    pub key: ApiKey,
    /// What programs send as bearer token.
    pub text: SecretString,
}

/// Why no key was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateKeyError {
    /// No such permission, or more than the caller has.
    #[error(transparent)]
    Permissions(CreateRoleError),
    /// The tenant has as many as it may have.
    #[error("there are too many keys")]
    TooMany,
    /// The system has no randomness.
    #[error("a key cannot be made")]
    NotMade,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Makes a key.
///
/// # Errors
/// [`CreateKeyError`].
pub async fn create_key(
    control: &Control,
    ctx: &Ctx,
    tx: &ControlTx,
    input: CreateKey,
) -> Result<CreatedKey, CreateKeyError> {
    check_permissions(control, ctx, &input.permissions).map_err(CreateKeyError::Permissions)?;
    let id = ApiKeyId::new();
    let fresh = API_KEY.make(control.master_key(), id.0).ok_or(CreateKeyError::NotMade)?;
    let expires_at: Timestamp = ctx.now() + SignedDuration::from_hours(i64::from(input.expires_in_days) * 24);
    let row = tx
        .query_one(
            include_str!("create_key.sql"),
            &[
                &ctx.tenant_id(),
                &id,
                &input.name,
                &fresh.hash,
                &input.permissions,
                &ctx.caller.actor.to_string(),
                &ctx.now(),
                &expires_at,
                &MOST_KEYS,
            ],
        )
        .await?;
    if row.try_get::<_, i64>(0).map_err(DbError::from)? == 0 {
        return Err(CreateKeyError::TooMany);
    }
    let key = find_key(tx, ctx.tenant_id(), id).await?;
    let key = key.ok_or_else(|| DbError::Other("the key just made is gone".to_owned()))?;
    Ok(CreatedKey { key, text: fresh.text.into() })
}
