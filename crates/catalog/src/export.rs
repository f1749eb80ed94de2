//! Use case: write all products to a file that imports back identically.

use std::io::{self, Write};

use csvio::Writer;
use db::{DbError, Row};
use kernel::{Ctx, Money};
use serde_json::Value;

use crate::Catalog;

/// Products per page; only so many are held at once.
const PAGE: i64 = 1_000;
const COLUMNS: [&str; 12] = [
    "sku",
    "name",
    "category",
    "price",
    "currency",
    "tax_category",
    "barcode",
    "unit",
    "active",
    "description",
    "weight_grams",
    "attributes",
];

/// Why an export stopped.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The target cannot be written.
    #[error("the file cannot be written: {0}")]
    Io(#[from] io::Error),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Writes every product of the tenant, active or not, by SKU; returns how many. Products that change meanwhile are in
/// it once, before or after their change.
///
/// # Errors
/// [`ExportError`]; the target then holds a part.
pub async fn export_products(catalog: &Catalog, ctx: &Ctx, target: impl Write) -> Result<u64, ExportError> {
    let mut writer = Writer::new(target);
    writer.header(&COLUMNS)?;
    let (mut after, mut count) = (String::new(), 0);
    loop {
        let tx = catalog.db().begin_read(ctx).await?;
        let rows = tx.query(include_str!("export_page.sql"), &[&tx.tenant_id(), &after, &PAGE]).await?;
        tx.commit().await?;
        for row in &rows {
            write_row(&mut writer, ctx, row)?;
        }
        count += rows.len() as u64;
        match rows.last() {
            Some(last) if rows.len() as i64 == PAGE => after = get(last, "sku")?,
            _ => break,
        }
    }
    writer.flush()?;
    Ok(count)
}

fn get<'a, T: db::types::FromSql<'a>>(row: &'a Row, column: &str) -> Result<T, DbError> {
    row.try_get(column).map_err(DbError::from)
}

fn write_row<W: Write>(writer: &mut Writer<W>, ctx: &Ctx, row: &Row) -> Result<(), ExportError> {
    let currency = ctx.tenant.currency;
    let attributes: Value = get(row, "attributes")?;
    let attributes = match attributes.as_object() {
        Some(members) if members.is_empty() => String::new(),
        _ => attributes.to_string(),
    };
    let weight: Option<i32> = get(row, "weight_grams")?;
    writer.text(get(row, "sku")?)?;
    writer.text(get(row, "name")?)?;
    writer.text(get(row, "category")?)?;
    writer.plain(&Money::new(get(row, "price")?, currency).to_decimal())?;
    writer.plain(currency.as_str())?;
    writer.plain(get(row, "tax_category")?)?;
    writer.plain(get::<Option<&str>>(row, "barcode")?.unwrap_or(""))?;
    writer.text(get(row, "unit")?)?;
    writer.plain(if get(row, "active")? { "true" } else { "false" })?;
    writer.text(get(row, "description")?)?;
    writer.plain(&weight.map(|grams| grams.to_string()).unwrap_or_default())?;
    writer.text(&attributes)?;
    writer.end_row()?;
    Ok(())
}
