//! Use case: replace the signing key when it is old; a new one is published before it signs.

use std::time::Duration;

use kernel::Timestamp;

use super::{
    keys::{KeyError, PURPOSE, make_key},
    sign::MAX_TTL,
};
use crate::{Control, change::Change};

/// A new key is published this long before it signs, so that whoever caches our JWKS knows it by then.
const PUBLISHED_AHEAD: Duration = Duration::from_secs(15 * 60);

/// Makes the first key, or the next one when the present one is old, and drops keys that verify nothing any more.
///
/// Old keys verify until the last token that they may have signed has expired. Returns whether a key was made.
///
/// # Errors
/// [`KeyError`].
pub async fn rotate_signing_keys(control: &Control, now: Timestamp) -> Result<bool, KeyError> {
    let tx = control.db().control().await?;
    // One process at a time: two would each make a key.
    tx.query(include_str!("lock_signing_keys.sql"), &[]).await?;
    let newest = tx.query_one(include_str!("find_newest_signing_key.sql"), &[]).await?;
    let newest: Option<Timestamp> = newest.try_get(0).map_err(db::DbError::from)?;
    let due = newest.is_none_or(|from| from + control.config().signing_key_age() <= now);
    if due {
        let signs_from = if newest.is_some() { now + PUBLISHED_AHEAD } else { now };
        let fresh = make_key()?;
        let sealed = control.master_key().seal(PURPOSE, &fresh.private).map_err(|_| KeyError::NotMade)?;
        let old_until = signs_from + MAX_TTL;
        tx.execute(include_str!("retire_signing_keys.sql"), &[&old_until, &now]).await?;
        tx.execute(
            include_str!("insert_signing_key.sql"),
            &[&fresh.kid, &fresh.public_x, &sealed, &signs_from, &now],
        )
        .await?;
        control.announce(&tx, Change::SigningKeys).await?;
        tracing::info!(key.id = %fresh.kid, key.signs_from = %signs_from, "signing key made");
    }
    tx.commit().await?;
    control.load_signing_keys().await?;
    Ok(due)
}
