//! Use case: open a shop.

use db::{DbError, TenantTx};

use crate::{
    model::ShopId,
    shop::{Shop, ShopKind, decode_shop},
};

/// The shop to open.
#[derive(Debug, Clone, Default)]
pub struct CreateShop {
    /// Its code; the next free of `S01`, `S02`.. when absent.
    pub code: Option<String>,
    /// The name for people.
    pub name: String,
    /// Where it sells.
    pub kind: ShopKind,
    /// Postal address.
    pub address: String,
}

/// Why a shop was not opened.
#[derive(Debug, thiserror::Error)]
pub enum CreateShopError {
    /// Another shop of the tenant has this code.
    #[error("the code {0} is taken")]
    CodeTaken(String),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Opens a shop. Codes are given out one caller at a time, so that two shops never race for the same one.
///
/// # Errors
/// [`CreateShopError`].
pub async fn create_shop(tx: &TenantTx, input: CreateShop) -> Result<Shop, CreateShopError> {
    lock_shop_codes(tx).await?;
    let (tenant, id, now) = (tx.tenant_id(), ShopId::new(), tx.ctx().now());
    let row = tx
        .query_opt(
            include_str!("create_shop.sql"),
            &[&tenant, &id, &input.code, &input.name, &input.kind.as_str(), &input.address, &now],
        )
        .await?;
    match row {
        Some(row) => Ok(decode_shop(&row)?),
        None => Err(CreateShopError::CodeTaken(input.code.unwrap_or_default())),
    }
}

/// Until the end of the transaction nobody else gives out shop codes in this tenant.
pub(crate) async fn lock_shop_codes(tx: &TenantTx) -> Result<(), DbError> {
    tx.query(include_str!("lock_shop_codes.sql"), &[&tx.tenant_id()]).await.map(drop)
}
