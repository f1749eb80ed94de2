//! Use cases: add, arrange and remove the images of a product.
//!
//! A file is known to the database before it is written and until it is gone, and its name is never used again. So
//! nobody has to compare the store with the database, and no removal meets an upload of the same file.

use std::collections::BTreeMap;

use db::{DbError, TenantTx};
use edge::{IfMatch, Problem};
use kernel::Ctx;

use super::{IMAGES_MOST, ImageId, StoredImage, place, sweep::SweepError};
use crate::{
    Catalog,
    get_product::find_stored,
    manage_products::{change, get_stored},
    model::{Product, ProductData, ProductId},
    problems::{IMAGE_NOT_FOUND, IMAGES_DIFFER, PRODUCT_NOT_FOUND, TOO_MANY_IMAGES},
};

/// Files of a tenant that are being sent, or were left behind in the last day.
const NOT_SHOWN_MOST: i64 = 200;

/// Makes the file of an image known before it is written.
pub(crate) async fn announce(tx: &TenantTx, product: ProductId, id: ImageId) -> Result<(), Problem> {
    let stored = find_stored(tx, product).await?.ok_or_else(|| Problem::new(PRODUCT_NOT_FOUND))?;
    check_room(&stored.data)?;
    let (tenant, now) = (tx.tenant_id(), tx.ctx().now());
    let inserted =
        tx.query(include_str!("insert_image.sql"), &[&tenant, &id, &product, &now, &NOT_SHOWN_MOST]).await?;
    if inserted.is_empty() {
        return Err(Problem::new(TOO_MANY_IMAGES).detail("Too many uploads of this merchant are unfinished."));
    }
    Ok(())
}

fn check_room(data: &ProductData) -> Result<(), Problem> {
    if data.images.len() < IMAGES_MOST { Ok(()) } else { Err(Problem::new(TOO_MANY_IMAGES)) }
}

/// Has the product show an image whose file is written, behind those it has.
pub(crate) async fn attach(
    catalog: &Catalog,
    tx: &TenantTx,
    product: ProductId,
    image: StoredImage,
) -> Result<Product, Problem> {
    let before = find_stored(tx, product).await?.ok_or_else(|| Problem::new(PRODUCT_NOT_FOUND))?;
    check_room(&before.data)?;
    show(tx, image.id, true).await?;
    let mut data = before.data.clone();
    data.images.push(image);
    change(catalog, tx, before, data).await
}

async fn show(tx: &TenantTx, id: ImageId, shown: bool) -> Result<(), DbError> {
    let changed = tx.query(include_str!("show_image.sql"), &[&tx.tenant_id(), &id, &shown]).await?;
    if changed.len() == 1 {
        Ok(())
    } else {
        Err(DbError::Conflict("an image has changed meanwhile".to_owned()))
    }
}

/// Puts the images of a product into the order of `wanted`, each with its text. They must be those it has.
pub(crate) async fn arrange_images(
    catalog: &Catalog,
    tx: &TenantTx,
    product: ProductId,
    if_match: &IfMatch,
    wanted: Vec<(ImageId, String)>,
) -> Result<Product, Problem> {
    let before = get_stored(tx, product, if_match).await?;
    let mut known: BTreeMap<ImageId, StoredImage> =
        before.data.images.iter().map(|image| (image.id, image.clone())).collect();
    let differ = || Problem::new(IMAGES_DIFFER);
    let mut images = Vec::with_capacity(wanted.len());
    for (id, alt) in wanted {
        images.push(StoredImage { alt, ..known.remove(&id).ok_or_else(differ)? });
    }
    if !known.is_empty() {
        return Err(differ());
    }
    let data = ProductData { images, ..before.data.clone() };
    change(catalog, tx, before, data).await
}

/// Has the product not show an image any more; its file is then to be [`discard`]ed.
pub(crate) async fn remove_image(
    catalog: &Catalog,
    tx: &TenantTx,
    product: ProductId,
    if_match: &IfMatch,
    id: ImageId,
) -> Result<(), Problem> {
    let before = get_stored(tx, product, if_match).await?;
    let mut data = before.data.clone();
    data.images.retain(|image| image.id != id);
    if data.images.len() == before.data.images.len() {
        return Err(Problem::new(IMAGE_NOT_FOUND));
    }
    show(tx, id, false).await?;
    change(catalog, tx, before, data).await.map(drop)
}

/// Removes the file of an image that no product shows, and then what is known of it; others are left alone.
pub(crate) async fn discard(catalog: &Catalog, ctx: &Ctx, id: ImageId) -> Result<(), SweepError> {
    let tx = catalog.db().begin_read(ctx).await?;
    let hidden = tx.query(include_str!("find_hidden_image.sql"), &[&tx.tenant_id(), &id]).await?;
    tx.commit().await?;
    if hidden.is_empty() {
        return Ok(());
    }
    catalog.objects().remove(&place(ctx.tenant_id(), id)).await?;
    let tx = catalog.db().begin(ctx).await?;
    tx.execute(include_str!("delete_image.sql"), &[&tx.tenant_id(), &id]).await?;
    tx.commit().await?;
    Ok(())
}
