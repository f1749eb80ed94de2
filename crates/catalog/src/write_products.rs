//! Writing products, one or a thousand at a time: rows, the counts of their terms, and their messages, in one
//! transaction. Every way to change a product comes through here.

use db::{DbError, Stmt, TenantTx};
use futures::future::{join, join3};
use jiff::Timestamp;
use messages::Draft;
use uuid::Uuid;

use crate::{
    events::{PRODUCT_CREATED, PRODUCT_DEACTIVATED, PRODUCT_UPDATED},
    fold::name_key,
    model::{ProductData, ProductId, StoredProduct},
    terms::{TermChanges, count_terms, search_vector},
};

/// The constraint that keeps SKUs unique.
pub(crate) const SKU_UNIQUE: &str = "product_sku_unique";

/// A product before and after; no before for a new one.
pub(crate) struct Change {
    pub(crate) before: Option<StoredProduct>,
    pub(crate) after: StoredProduct,
}

/// The products whose cached answers these changes make stale: themselves and their parents, who show them.
pub(crate) fn touched(changes: &[Change]) -> Vec<ProductId> {
    let of = |change: &Change| [Some(change.after.id), change.after.data.shape.parent_id];
    let mut ids: Vec<ProductId> = changes.iter().flat_map(of).flatten().collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Creates `new` products and changes others from the version they were read at, counts their terms and publishes their
/// messages. The statements travel in one pipeline; the database works on one while the next is made.
///
/// # Errors
/// [`DbError::Unique`] of `product_sku_unique` when a SKU of a new product is taken; [`DbError::Conflict`] when one of
/// the others has changed meanwhile. The transaction is then to be dropped.
pub(crate) async fn write_products(
    tx: &TenantTx,
    new: Vec<ProductData>,
    updates: Vec<(StoredProduct, ProductData)>,
) -> Result<Vec<Change>, DbError> {
    let now = tx.ctx().now();
    let created = |data| Change {
        before: None,
        after: StoredProduct { id: ProductId::new(), data, version: 1, created_at: now, updated_at: now },
    };
    let mut changes: Vec<Change> = new.into_iter().map(created).collect();
    let count = changes.len();
    changes.extend(updates.into_iter().map(|(before, data)| updated(before, data, now)));
    if changes.is_empty() {
        return Ok(changes);
    }
    let (new, updates) = changes.split_at(count);
    // Whoever comes behind a failure only hears that the transaction is lost, and may be looked at first.
    let (inserted, updated, recorded) =
        join3(insert(tx, new), update(tx, updates), record(tx, &changes)).await;
    inserted.and(updated).and(recorded)?;
    Ok(changes)
}

fn updated(before: StoredProduct, data: ProductData, now: Timestamp) -> Change {
    let after = StoredProduct {
        id: before.id,
        data,
        version: before.version + 1,
        created_at: before.created_at,
        updated_at: now.max(before.updated_at),
    };
    Change { before: Some(before), after }
}

async fn insert(tx: &TenantTx, changes: &[Change]) -> Result<(), DbError> {
    if changes.is_empty() {
        return Ok(());
    }
    let stmt = Stmt::new(include_str!("insert_products.sql")).bind(tx.tenant_id()).bind(tx.ctx().now());
    let inserted = tx.run(bind_columns(stmt, tx, changes)).await?;
    if inserted.len() == changes.len() {
        return Ok(());
    }
    Err(DbError::Unique { constraint: SKU_UNIQUE.to_owned() })
}

async fn update(tx: &TenantTx, changes: &[Change]) -> Result<(), DbError> {
    if changes.is_empty() {
        return Ok(());
    }
    let versions: Vec<i32> = changes.iter().map(|change| change.after.version - 1).collect();
    let stmt = Stmt::new(include_str!("update_products.sql")).bind(tx.tenant_id()).bind(tx.ctx().now());
    let images: Vec<Option<String>> =
        changes.iter().map(|change| json_of(&change.after.data.images)).collect();
    let updated = tx.run(bind_columns(stmt, tx, changes).bind(versions).bind(images)).await?;
    if updated.len() == changes.len() {
        return Ok(());
    }
    Err(DbError::Conflict("a product has changed meanwhile".to_owned()))
}

/// Counts the changed terms and publishes the messages.
async fn record(tx: &TenantTx, changes: &[Change]) -> Result<(), DbError> {
    let mut terms = TermChanges::new();
    for change in changes {
        if let Some(before) = &change.before {
            count_terms(&before.data, -1, &mut terms);
        }
        count_terms(&change.after.data, 1, &mut terms);
    }
    terms.retain(|_, count| *count != (0, 0));
    let counted = async {
        if !terms.is_empty() {
            tx.run(change_terms_stmt(tx, terms)).await?;
        }
        Ok(())
    };
    let published = async {
        let drafts: Vec<Draft> = changes.iter().map(|change| draft(tx, change)).collect();
        messages::publish(tx, &drafts).await
    };
    let (counted, published) = join(counted, published).await;
    counted.and(published).map(drop)
}

fn draft(tx: &TenantTx, change: &Change) -> Draft {
    let kind = match &change.before {
        None => &PRODUCT_CREATED,
        Some(before) if before.data.active && !change.after.data.active => &PRODUCT_DEACTIVATED,
        Some(_) => &PRODUCT_UPDATED,
    };
    let product = change.after.clone().into_product(&tx.ctx().tenant);
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

/// The text of a list or map; `None` for an empty one.
fn json_of<T: serde::Serialize + Default + PartialEq>(value: &T) -> Option<String> {
    if *value == T::default() { None } else { serde_json::to_string(value).ok() }
}

/// Binds the columns of products as arrays, in the order of `insert_products.sql` from its third parameter on.
fn bind_columns(stmt: Stmt, tx: &TenantTx, changes: &[Change]) -> Stmt {
    let each = || changes.iter().map(|change| &change.after.data);
    let texts =
        |of: fn(&ProductData) -> &str| each().map(|data| of(data).to_owned()).collect::<Vec<String>>();
    let attributes: Vec<String> =
        each().map(|data| serde_json::to_string(&data.attributes).unwrap_or_default()).collect();
    stmt.bind(changes.iter().map(|change| change.after.id.0).collect::<Vec<Uuid>>())
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
        .bind(each().map(|data| data.shape.parent_id.map(|parent| parent.0)).collect::<Vec<Option<Uuid>>>())
        .bind(each().map(|data| json_of(&data.shape.options)).collect::<Vec<_>>())
        .bind(each().map(|data| json_of(&data.shape.option_values)).collect::<Vec<_>>())
}
