//! Use case: write the book of record as CSV, in the columns that the import reads.

use std::{
    collections::HashMap,
    io::{self, Write},
};

use csvio::Writer;
use db::{Db, DbError, Row, TenantTx};
use inventory::ShopId;
use kernel::{Ctx, Currency, Money, Quantity, Timestamp};

use crate::model::SaleId;

const COLUMNS: [&str; 10] = [
    "external_id",
    "shop",
    "register",
    "occurred_at",
    "customer",
    "sku",
    "quantity",
    "unit_price",
    "discount",
    "tender",
];
/// Sales read at once.
const PAGE: i64 = 500;

/// Why an export stopped.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The target cannot be written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Writes every line of every sale, void and refund in the order they were booked, as the book stood when the export
/// began; returns the number of rows.
///
/// Corrections are sales of their own with negative quantities; a sale paid by several means names the first.
///
/// # Errors
/// [`ExportError`].
pub async fn export_sales(db: &Db, ctx: &Ctx, target: impl Write) -> Result<u64, ExportError> {
    let tx = db.begin_snapshot(ctx).await?;
    let mut writer = Writer::new(target);
    writer.header(&COLUMNS)?;
    let (mut rows, mut after) = (0, SaleId(uuid::Uuid::nil()));
    let mut shops = HashMap::new();
    loop {
        let page = tx.query(include_str!("export_sales.sql"), &[&tx.tenant_id(), &after, &PAGE]).await?;
        let Some(last) = page.last() else { break };
        after = last.try_get(0).map_err(DbError::from)?;
        learn_shops(&tx, &page, &mut shops).await?;
        for row in &page {
            write_row(&mut writer, row, ctx.tenant.currency, &shops)?;
            rows += 1;
        }
    }
    writer.flush()?;
    tx.commit().await?;
    Ok(rows)
}

async fn learn_shops(
    tx: &TenantTx,
    rows: &[Row],
    known: &mut HashMap<ShopId, String>,
) -> Result<(), DbError> {
    let mut unknown: Vec<ShopId> = rows.iter().map(|row| row.try_get(2)).collect::<Result<_, _>>()?;
    unknown.retain(|shop| !known.contains_key(shop));
    unknown.sort_unstable();
    unknown.dedup();
    if !unknown.is_empty() {
        let found = inventory::find_shops(tx, &unknown).await?;
        known.extend(found.into_iter().map(|shop| (shop.id, shop.code)));
    }
    Ok(())
}

fn write_row<W: Write>(
    writer: &mut Writer<W>,
    row: &Row,
    currency: Currency,
    shops: &HashMap<ShopId, String>,
) -> Result<(), ExportError> {
    fn get<'a, T: db::types::FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, DbError> {
        Ok(row.try_get(column)?)
    }
    let decimal = |amount: i64| Money::new(amount, currency).to_decimal();
    let shop: ShopId = get(row, 2)?;
    let occurred_at: Timestamp = get(row, 4)?;
    let quantity = Quantity::from_thousandths(get(row, 7)?).unwrap_or(Quantity::ZERO);
    let discount: i64 = get(row, 9)?;
    writer.text(get::<&str>(row, 1)?)?;
    writer.text(shops.get(&shop).map_or("", String::as_str))?;
    writer.text(get::<&str>(row, 3)?)?;
    writer.plain(&occurred_at.to_string())?;
    writer.text(get::<Option<&str>>(row, 5)?.unwrap_or_default())?;
    writer.text(get::<&str>(row, 6)?)?;
    writer.plain(&quantity.to_string())?;
    writer.plain(&decimal(get(row, 8)?))?;
    writer.plain(&decimal(discount.abs()))?;
    writer.text(get::<Option<&str>>(row, 10)?.unwrap_or_default())?;
    writer.end_row()?;
    Ok(())
}
