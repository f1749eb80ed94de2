//! Use case: change a shop's name, kind, address, or whether it trades.

use db::{DbError, TenantTx};

use crate::{
    find_shops::find_shop,
    model::ShopId,
    shop::{Shop, ShopKind, decode_shop},
};

/// The new state of everything that may change.
#[derive(Debug, Clone)]
pub struct UpdateShop {
    /// The name for people.
    pub name: String,
    /// Where it sells.
    pub kind: ShopKind,
    /// Postal address.
    pub address: String,
    /// Whether it trades.
    pub active: bool,
    /// Only if the shop still has this version.
    pub if_version: Option<i32>,
}

/// Why a shop was not changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateShopError {
    /// No such shop in this tenant.
    #[error("no such shop")]
    NotFound,
    /// It has been changed since.
    #[error("the shop has version {0} by now")]
    Changed(i32),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Changes a shop and counts up its version. The code stays: receipts carry it.
///
/// # Errors
/// [`UpdateShopError`].
pub async fn update_shop(tx: &TenantTx, id: ShopId, input: UpdateShop) -> Result<Shop, UpdateShopError> {
    let (tenant, now) = (tx.tenant_id(), tx.ctx().now());
    let row = tx
        .query_opt(
            include_str!("update_shop.sql"),
            &[
                &tenant,
                &id,
                &input.name,
                &input.kind.as_str(),
                &input.address,
                &input.active,
                &input.if_version,
                &now,
            ],
        )
        .await?;
    if let Some(row) = row {
        return Ok(decode_shop(&row)?);
    }
    match find_shop(tx, id).await? {
        Some(shop) => Err(UpdateShopError::Changed(shop.version)),
        None => Err(UpdateShopError::NotFound),
    }
}
