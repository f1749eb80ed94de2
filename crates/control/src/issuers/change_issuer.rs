//! Use cases: enter, change and remove an issuer. Only operators do: an audience can belong to one tenant only, and
//! a tenant could otherwise take another's.

use db::{ControlTx, DbError};
use kernel::{TenantId, Timestamp};
use uuid::Uuid;

use super::{ClaimMapping, Issuer, SigningAlgorithm, find_issuer};
use crate::{Control, change::Change};

/// A tenant has at most this many issuers.
pub(super) const MOST_PER_TENANT: i64 = 20;

/// How an issuer shall be.
#[derive(Debug, Clone)]
pub struct PutIssuer {
    /// Its name within the tenant.
    pub name: String,
    /// The issuer as it stands in tokens.
    pub url: String,
    /// Whom its tokens must be meant for.
    pub audience: String,
    /// How it may sign.
    pub algorithms: Vec<SigningAlgorithm>,
    /// What its claims mean here.
    pub mapping: ClaimMapping,
    /// Whether its tokens are taken.
    pub active: bool,
    /// The version to change; any, or none yet, when `None`.
    pub version: Option<i32>,
}

/// Why an issuer was not entered.
#[derive(Debug, thiserror::Error)]
pub enum PutIssuerError {
    /// It cannot be read, or is not what it says; the reason.
    #[error("{0}")]
    Unusable(String),
    /// Tokens for this audience belong to another entry.
    #[error("the audience is taken")]
    AudienceTaken,
    /// It has been changed since it was read.
    #[error("the issuer has changed")]
    Changed,
    /// The tenant has as many as it may have.
    #[error("there are too many issuers")]
    TooMany,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Reads the issuer's discovery document and keys once, to be sure that it can be used.
///
/// # Errors
/// [`PutIssuerError::Unusable`].
pub(super) async fn probe(control: &Control, url: &str) -> Result<(), PutIssuerError> {
    if url == control.config().issuer {
        return Err(PutIssuerError::Unusable("that is this installation itself".to_owned()));
    }
    let keys = control.issuers().fetcher.fetch_keys(url).await;
    keys.map(drop).map_err(|error| PutIssuerError::Unusable(error.to_string()))
}

/// Enters or changes an issuer; returns it and whether it is new.
///
/// # Errors
/// [`PutIssuerError`].
pub async fn put_issuer(
    control: &Control,
    now: Timestamp,
    tx: &ControlTx,
    tenant: TenantId,
    input: PutIssuer,
) -> Result<(Issuer, bool), PutIssuerError> {
    let before = find_issuer(tx, tenant, &input.name).await?;
    if input.version.is_some() && before.as_ref().map(|issuer| issuer.version) != input.version {
        return Err(PutIssuerError::Changed);
    }
    let algorithms: Vec<&str> = input.algorithms.iter().map(|algorithm| algorithm.as_str()).collect();
    let mapping = serde_json::to_value(&input.mapping).map_err(|error| DbError::Other(error.to_string()))?;
    let put = tx
        .execute(
            include_str!("put_issuer.sql"),
            &[
                &tenant,
                &Uuid::now_v7(),
                &input.name,
                &input.url,
                &input.audience,
                &algorithms,
                &mapping,
                &input.active,
                &now,
                &MOST_PER_TENANT,
            ],
        )
        .await
        .map_err(|error| {
            if error.is_unique("issuer_audience_unique") {
                PutIssuerError::AudienceTaken
            } else {
                error.into()
            }
        })?;
    if put == 0 {
        return Err(PutIssuerError::TooMany);
    }
    control.announce(tx, Change::Issuers).await?;
    let issuer = find_issuer(tx, tenant, &input.name).await?;
    let issuer = issuer.ok_or_else(|| DbError::Other("the issuer just entered is gone".to_owned()))?;
    Ok((issuer, before.is_none()))
}

/// Removes an issuer; false when there is none of that name. Its tokens end within moments.
///
/// # Errors
/// [`DbError`].
pub async fn delete_issuer(
    control: &Control,
    tx: &ControlTx,
    tenant: TenantId,
    name: &str,
) -> Result<bool, DbError> {
    let removed = tx.execute(include_str!("delete_issuer.sql"), &[&tenant, &name]).await?;
    if removed == 1 {
        control.announce(tx, Change::Issuers).await?;
    }
    Ok(removed == 1)
}
