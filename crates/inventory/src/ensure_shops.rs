//! Use case: find the shops that an import names, and open those that do not exist.

use std::collections::{BTreeSet, HashMap};

use db::{DbError, TenantTx};
use uuid::Uuid;

use crate::{create_shop::lock_shop_codes, model::ShopId, shop::is_shop_code};

/// The shop for each name, which may be a code (looked for first) or the name for people.
///
/// An unknown one is created: under that code when it can be one, else under the next of `S01`, `S02`.. with that
/// name. Names that are empty, longer than 200 characters or hold control characters get no entry.
/// Calling it again with the same names returns the same shops.
///
/// # Errors
/// [`DbError`].
pub async fn ensure_shops(tx: &TenantTx, names: &[&str]) -> Result<HashMap<String, ShopId>, DbError> {
    let mut missing: BTreeSet<&str> = names.iter().copied().filter(|name| is_shop_name(name)).collect();
    let mut shops = HashMap::with_capacity(missing.len());
    find(tx, &mut missing, &mut shops).await?;
    if missing.is_empty() {
        return Ok(shops);
    }
    lock_shop_codes(tx).await?;
    find(tx, &mut missing, &mut shops).await?;
    if !missing.is_empty() {
        create(tx, &missing, &mut shops).await?;
    }
    Ok(shops)
}

/// Whether an import may call a shop so.
#[must_use]
pub fn is_shop_name(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().count() <= 200 && !name.chars().any(char::is_control)
}

async fn find(
    tx: &TenantTx,
    missing: &mut BTreeSet<&str>,
    shops: &mut HashMap<String, ShopId>,
) -> Result<(), DbError> {
    let names: Vec<&str> = missing.iter().copied().collect();
    for row in tx.query(include_str!("find_shops_by_name.sql"), &[&tx.tenant_id(), &names]).await? {
        let name: String = row.try_get(0)?;
        missing.remove(name.as_str());
        shops.insert(name, row.try_get(1)?);
    }
    Ok(())
}

async fn create(
    tx: &TenantTx,
    missing: &BTreeSet<&str>,
    shops: &mut HashMap<String, ShopId>,
) -> Result<(), DbError> {
    let names: Vec<&str> = missing.iter().copied().collect();
    let coded: Vec<bool> = names.iter().map(|name| is_shop_code(name)).collect();
    let ids: Vec<Uuid> = names.iter().map(|_| ShopId::new().0).collect();
    let now = tx.ctx().now();
    let rows =
        tx.query(include_str!("ensure_shops.sql"), &[&tx.tenant_id(), &ids, &names, &coded, &now]).await?;
    for row in rows {
        shops.insert(row.try_get(0)?, row.try_get(1)?);
    }
    Ok(())
}
