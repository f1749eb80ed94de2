//! Keys of many requests at once, for combiners: claimed before the work, given back where it is refused.
//!
//! The answer is not stored: it is written again from the resource that the key protects.

use std::collections::HashSet;

use db::{DbError, Row, Stmt, TenantTx};
use kernel::Ctx;
use uuid::Uuid;

use super::store::{self, decode, find_stmt};
use crate::{Idempotency, Problem, codes};

/// A key with the resource that will exist if the request is the first with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// See [`Idempotency::key_hash`].
    pub key: Uuid,
    /// See [`Idempotency::fingerprint`].
    pub fingerprint: Uuid,
    /// The id of what will be created.
    pub resource: Uuid,
}

impl Claim {
    /// The claim of a request whose key is required.
    ///
    /// # Errors
    /// `IDEMPOTENCY_KEY_REQUIRED` without one.
    pub fn new(idempotency: &Idempotency, resource: Uuid) -> Result<Self, Problem> {
        let key = idempotency.key_hash().ok_or_else(|| Problem::new(codes::IDEMPOTENCY_KEY_REQUIRED))?;
        Ok(Self { key, fingerprint: idempotency.fingerprint(), resource })
    }
}

/// Claims keys of one tenant in the transaction of their effects; `status` is what the answer will have.
///
/// One row per key that was free comes back, see [`decode_claims`]. A key that another transaction is claiming at this
/// moment is waited for.
#[must_use]
pub fn claim_stmt(ctx: &Ctx, claims: &[Claim], status: u16) -> Stmt {
    let column = |of: fn(&Claim) -> Uuid| claims.iter().map(of).collect::<Vec<_>>();
    Stmt::new(include_str!("claim_many.sql"))
        .bind(ctx.tenant_id())
        .bind(column(|claim| claim.key))
        .bind(column(|claim| claim.fingerprint))
        .bind(column(|claim| claim.resource))
        .bind(i16::try_from(status).unwrap_or(201))
        .bind(ctx.now())
}

/// The resources whose key was free.
///
/// # Errors
/// [`DbError::Other`] when the rows are not of [`claim_stmt`].
pub fn decode_claims(rows: &[Row]) -> Result<HashSet<Uuid>, DbError> {
    rows.iter().map(|row| store::get(row, "resource")).collect()
}

/// Gives keys back in the same transaction, where the request turned out to be refused.
#[must_use]
pub fn release_stmt(ctx: &Ctx, keys: &[Uuid]) -> Stmt {
    Stmt::new(include_str!("release_many.sql")).bind(ctx.tenant_id()).bind(keys.to_vec())
}

/// The resource that an earlier request with the same key created.
///
/// # Errors
/// `IDEMPOTENCY_KEY_REUSED` when its payload differs; `IDEMPOTENCY_IN_PROGRESS` when it is not there (any more).
pub async fn find_claimed(tx: &TenantTx, claim: &Claim) -> Result<Uuid, Problem> {
    let rows = tx.run(find_stmt(tx.ctx(), &[claim.key])).await?;
    match decode(&rows)?.pop() {
        Some(stored) if stored.fingerprint != claim.fingerprint => {
            Err(Problem::new(codes::IDEMPOTENCY_KEY_REUSED))
        }
        Some(stored) => {
            stored.resource.ok_or_else(|| Problem::internal("a claimed key without its resource"))
        }
        None => Err(Problem::new(codes::IDEMPOTENCY_IN_PROGRESS).retry_after(1)),
    }
}
