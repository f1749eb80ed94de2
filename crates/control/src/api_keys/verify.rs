//! Verifying an API key: its mark in memory, its secret and state in the database.

use std::sync::Arc;

use db::DbError;
use edge::{AuthError, Principal};
use kernel::{Actor, PermissionSet, TenantId, Timestamp};

use super::{ApiKeyId, KeyUse};
use crate::{
    Control,
    tokens::{Anchor, Verified, opaque::API_KEY},
};

struct Stored {
    tenant: TenantId,
    secret_hash: Vec<u8>,
    permissions: Vec<String>,
    expires_at: Timestamp,
    revoked: bool,
}

/// Whom `text` stands for.
pub(crate) async fn verify_api_key(
    control: &Control,
    text: &str,
    now: Timestamp,
) -> Result<Verified, AuthError> {
    let presented =
        API_KEY.read(control.master_key(), text).ok_or(AuthError::Invalid("not a key of ours"))?;
    let id = ApiKeyId(presented.id);
    let found = control.guarded(find(control, id)).await;
    let stored = found
        .map_err(|error| AuthError::Unavailable(error.to_string()))?
        .filter(|stored| presented.fits(&stored.secret_hash))
        .ok_or(AuthError::Invalid("unknown key"))?;
    if stored.revoked {
        return Err(AuthError::Invalid("revoked"));
    }
    if stored.expires_at <= now {
        return Err(AuthError::Expired);
    }
    let principal = Principal {
        actor: Actor::Key(id.to_string().into()),
        tenant: Some(stored.tenant),
        permissions: PermissionSet::new(stored.permissions),
        expires_at: stored.expires_at,
    };
    let anchor = Anchor::ApiKey(Arc::new(KeyUse::new(id, stored.tenant)));
    Ok(Verified { principal: Arc::new(principal), anchor, confirmed: true })
}

async fn find(control: &Control, id: ApiKeyId) -> Result<Option<Stored>, DbError> {
    let tx = control.db().control().await?;
    let row = tx.query_opt(include_str!("verify_key.sql"), &[&id]).await?;
    tx.commit().await?;
    row.map(|row| {
        Ok(Stored {
            tenant: row.try_get(0)?,
            secret_hash: row.try_get(1)?,
            permissions: row.try_get(2)?,
            expires_at: row.try_get(3)?,
            revoked: row.try_get(4)?,
        })
    })
    .transpose()
}
