//! Use case: make every token of the command line worthless, when one of them may be in wrong hands.

use db::{ControlTx, DbError};

use crate::{Control, change::Change};

/// Ends all tokens signed by `sign_operator_token` so far, in every process within moments; those signed later work.
///
/// # Errors
/// [`DbError`].
pub async fn revoke_operator_tokens(control: &Control) -> Result<(), DbError> {
    let tx = control.db().control().await?;
    tx.execute(include_str!("raise_operator_generation.sql"), &[]).await?;
    control.announce(&tx, Change::OperatorTokens).await?;
    tx.commit().await?;
    tracing::info!("all tokens of the command line revoked");
    Ok(())
}

/// The generation that tokens of the command line must be of.
pub(super) async fn find_generation(tx: &ControlTx) -> Result<i32, DbError> {
    Ok(tx.query_one(include_str!("find_operator_generation.sql"), &[]).await?.try_get(0)?)
}
