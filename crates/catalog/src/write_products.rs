//! Writing products, one or a thousand at a time: rows, the counts of their terms, and their messages, in one
//! transaction. Every way to change a product comes through here.

use std::collections::HashMap;

use db::{DbError, Stmt, TenantTx};
use jiff::Timestamp;
use messages::Draft;
use uuid::Uuid;

use crate::{
    events::{PRODUCT_CREATED, PRODUCT_DEACTIVATED, PRODUCT_UPDATED},
    fold::name_key,
    model::{ProductData, ProductId, StoredProduct},
    terms::{TermChanges, count_terms, search_vector},
};

/// A product before and after; no before for a new one.
pub(crate) struct Change {
    pub(crate) before: Option<StoredProduct>,
    pub(crate) after: StoredProduct,
}

/// Inserts those products whose SKU is not taken, and gives them back. Nothing else is written yet: see
/// [`record_changes`].
pub(crate) async fn insert_products(
    tx: &TenantTx,
    products: Vec<ProductData>,
) -> Result<Vec<Change>, DbError> {
    let products: Vec<(ProductId, ProductData)> =
        products.into_iter().map(|product| (ProductId::new(), product)).collect();
    let stmt = Stmt::new(include_str!("insert_products.sql")).bind(tx.tenant_id()).bind(tx.ctx().now());
    let rows = tx.run(bind_columns(stmt, tx, products.iter().map(|(id, data)| (*id, data)))).await?;
    let mut products: HashMap<ProductId, ProductData> = products.into_iter().collect();
    let mut changes = Vec::with_capacity(rows.len());
    for row in rows {
        let id: ProductId = row.try_get("id")?;
        let now = tx.ctx().now();
        if let Some(data) = products.remove(&id) {
            let after = StoredProduct { id, data, version: 1, created_at: now, updated_at: now };
            changes.push(Change { before: None, after });
        }
    }
    Ok(changes)
}

/// Changes products from the version they were read at.
///
/// # Errors
/// [`DbError::Conflict`] when any of them has changed meanwhile: read again and decide again.
pub(crate) async fn update_products(
    tx: &TenantTx,
    updates: Vec<(StoredProduct, ProductData)>,
) -> Result<Vec<Change>, DbError> {
    let versions: Vec<i32> = updates.iter().map(|(before, _)| before.version).collect();
    let stmt = Stmt::new(include_str!("update_products.sql")).bind(tx.tenant_id()).bind(tx.ctx().now());
    let columns = updates.iter().map(|(before, data)| (before.id, data));
    let rows = tx.run(bind_columns(stmt, tx, columns).bind(versions)).await?;
    if rows.len() != updates.len() {
        return Err(DbError::Conflict("a product has changed meanwhile".to_owned()));
    }
    let mut times: HashMap<ProductId, Timestamp> = HashMap::with_capacity(rows.len());
    for row in rows {
        times.insert(row.try_get("id")?, row.try_get("updated_at")?);
    }
    let after = |before: &StoredProduct, data: ProductData| StoredProduct {
        id: before.id,
        data,
        version: before.version + 1,
        created_at: before.created_at,
        updated_at: times.get(&before.id).copied().unwrap_or(before.updated_at),
    };
    let change = |(before, data): (StoredProduct, ProductData)| Change {
        after: after(&before, data),
        before: Some(before),
    };
    Ok(updates.into_iter().map(change).collect())
}

/// Counts the changed terms and publishes the messages.
pub(crate) async fn record_changes(tx: &TenantTx, changes: &[Change]) -> Result<(), DbError> {
    let mut terms = TermChanges::new();
    for change in changes {
        if let Some(before) = &change.before {
            count_terms(&before.data, -1, &mut terms);
        }
        count_terms(&change.after.data, 1, &mut terms);
    }
    terms.retain(|_, count| *count != (0, 0));
    if !terms.is_empty() {
        tx.run(change_terms_stmt(tx, terms)).await?;
    }
    let drafts: Vec<Draft> = changes.iter().map(|change| draft(tx, change)).collect();
    messages::publish(tx, &drafts).await
}

fn draft(tx: &TenantTx, change: &Change) -> Draft {
    let kind = match &change.before {
        None => &PRODUCT_CREATED,
        Some(before) if before.data.active && !change.after.data.active => &PRODUCT_DEACTIVATED,
        Some(_) => &PRODUCT_UPDATED,
    };
    let product = change.after.clone().into_product(tx.ctx().tenant.currency);
    Draft::of(kind, change.after.id, &product)
}

fn change_terms_stmt(tx: &TenantTx, terms: TermChanges) -> Stmt {
    let (mut kinds, mut words, mut products, mut active) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for ((kind, word), (more_products, more_active)) in terms {
        kinds.push(kind.letter());
        words.push(word);
        products.push(more_products);
        active.push(more_active);
    }
    Stmt::new(include_str!("change_terms.sql"))
        .bind(tx.tenant_id())
        .bind(kinds)
        .bind(words)
        .bind(products)
        .bind(active)
}

/// Binds the columns of products as arrays, in the order of `insert_products.sql` from its third parameter on.
fn bind_columns<'a>(
    stmt: Stmt,
    tx: &TenantTx,
    products: impl Iterator<Item = (ProductId, &'a ProductData)>,
) -> Stmt {
    let products: Vec<(ProductId, &ProductData)> = products.collect();
    let texts = |of: fn(&ProductData) -> &str| -> Vec<String> {
        products.iter().map(|(_, data)| of(data).to_owned()).collect()
    };
    let each = || products.iter().map(|(_, data)| *data);
    let attributes: Vec<String> =
        each().map(|data| serde_json::to_string(&data.attributes).unwrap_or_default()).collect();
    stmt.bind(products.iter().map(|(id, _)| id.0).collect::<Vec<Uuid>>())
        .bind(texts(|data| &data.sku))
        .bind(texts(|data| &data.name))
        .bind(each().map(|data| name_key(&data.name)).collect::<Vec<_>>())
        .bind(texts(|data| &data.description))
        .bind(each().map(|data| data.price).collect::<Vec<_>>())
        .bind(texts(|data| &data.tax_category))
        .bind(texts(|data| &data.category))
        .bind(each().map(|data| data.barcode.clone()).collect::<Vec<_>>())
        .bind(texts(|data| &data.unit))
        .bind(each().map(|data| data.weight_grams).collect::<Vec<_>>())
        .bind(attributes)
        .bind(each().map(|data| data.active).collect::<Vec<_>>())
        .bind(each().map(|data| search_vector(tx.tenant_id(), data)).collect::<Vec<_>>())
}
